//! Reading: the caller, the way to a node, its locks and a listing, in one round trip.

use serde::Deserialize;

use super::node::NODE;
use super::{Drive, Lock, Node, Scopes};
use crate::error::{Error, Result};
use crate::ports::{Millis, Rows, Statement, Value};

/// Who asks, as the request says it: a token names its account, so that no directory is asked.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The account that the token belongs to, if it exists.
    pub account: i64,
    /// SHA-256 of the token in hexadecimal.
    pub hash: String,
}

/// Who asks, as the drive knows them.
#[derive(Debug, Clone, Deserialize)]
pub struct Caller {
    /// The token's number.
    pub token_id: i64,
    /// What the token allows.
    pub scopes: Scopes,
    /// The folder that the token is confined to.
    pub folder_id: Option<i64>,
    expires_at: Option<Millis>,
    /// When the token was last used, to the hour.
    pub used_at: Option<Millis>,
    /// The owner's login.
    pub login: String,
    /// The owner's name for people.
    pub display_name: String,
    /// Bytes that the drive may hold; none for no limit.
    pub quota: Option<i64>,
    version_bytes: i64,
    /// The drive's root folder.
    pub root_id: i64,
    root_size: i64,
}

impl Caller {
    /// Bytes used: all files and their earlier versions.
    pub fn used(&self) -> i64 {
        self.root_size + self.version_bytes
    }

    /// Bytes that may still be stored; `None` without a quota.
    pub fn available(&self) -> Option<i64> {
        self.quota.map(|quota| (quota - self.used()).max(0))
    }

    /// Refuses `bytes` more than the quota has left, before any of them is stored.
    pub fn check_quota(&self, bytes: u64) -> Result<()> {
        match self.available() {
            Some(available) if bytes > available.unsigned_abs() => Err(Error::QuotaExceeded),
            _ => Ok(()),
        }
    }
}

/// How a request names a node.
#[derive(Debug, Clone)]
pub enum Address {
    /// Names from the caller's root folder downwards; empty for that folder.
    Path(Vec<String>),
    /// The node's number.
    Id(i64),
}

/// What to read of each node besides its row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Detail {
    /// Dead properties.
    pub properties: bool,
    /// Digests.
    pub digests: bool,
    /// Digests and the parts of the content.
    pub parts: bool,
}

/// Which nodes below the first address to read.
#[derive(Debug, Clone, Default)]
pub enum Listing {
    /// None.
    #[default]
    Nothing,
    /// The members of the folder, in the order of their names.
    Members,
    /// Everything below it, parents before their members, up to a number of nodes and one more.
    Below(i64),
    /// The files in the folder, in the order of their names, after a name and up to a number.
    Files(String, i64),
    /// The folders in the folder, in the order of their numbers, after a number and up to a number.
    Folders(i64, i64),
    /// All folders below it, likewise.
    FoldersBelow(i64, i64),
}

/// What a request reads, in one round trip.
#[derive(Debug, Clone, Default)]
pub struct ViewRequest {
    /// The nodes to find.
    pub addresses: Vec<Address>,
    /// What to read of their targets and of the listing.
    pub detail: Detail,
    /// What to list below the first address.
    pub listing: Listing,
    /// Whether to find the locks below the targets, which only operations on trees heed.
    pub locks_below: bool,
}

impl ViewRequest {
    /// Just the way to one node.
    pub fn of(address: Address) -> Self {
        Self { addresses: vec![address], ..Self::default() }
    }
}

/// What was read.
#[derive(Debug)]
pub struct View {
    /// Who asks.
    pub caller: Caller,
    /// One for each address.
    pub trails: Vec<Trail>,
    /// The listing, without the folder itself.
    pub listing: Vec<Node>,
}

impl View {
    /// The trail of the first address.
    pub fn trail(&self) -> Result<&Trail> {
        self.trails.first().ok_or_else(|| Error::internal("a view without a trail"))
    }
}

/// The way from the drive's root to a node, as far as it exists.
#[derive(Debug, Clone)]
pub struct Trail {
    /// From the drive's root downwards.
    nodes: Vec<Node>,
    /// Which of `nodes` is the caller's root.
    start: usize,
    /// The names below the caller's root that were asked for.
    names: Vec<String>,
    /// The locks below the target, in the order of their tokens.
    pub locks_below: Vec<LockBelow>,
}

/// A lock on a node below another.
#[derive(Debug, Clone, Deserialize)]
pub struct LockBelow {
    /// The lock's token.
    pub token: String,
    /// The node that is locked.
    pub node_id: i64,
    exclusive: i64,
    folder: i64,
    path: String,
}

impl LockBelow {
    /// Exclusive; else shared.
    pub fn is_exclusive(&self) -> bool {
        self.exclusive == 1
    }

    /// Whether the locked node is a folder.
    pub fn is_folder(&self) -> bool {
        self.folder == 1
    }

    /// The names from the target to the locked node.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split('/')
    }
}

impl Trail {
    /// The node that was asked for, if it exists.
    pub fn target(&self) -> Option<&Node> {
        (self.nodes.len() == self.start + self.names.len() + 1).then(|| self.nodes.last()).flatten()
    }

    /// The node that was asked for, or 404.
    pub fn existing(&self) -> Result<&Node> {
        self.target().ok_or(Error::NotFound("the resource"))
    }

    /// The folder in which the node is or would be, and its name there. 409 where that folder does
    /// not exist or is a file; 403 for the caller's root, which is in none.
    pub fn place(&self) -> Result<(&Node, &str)> {
        let name = self.names.last().ok_or_else(|| Error::Forbidden("the root folder stays as it is".to_owned()))?;
        let parent = self.nodes.get(self.start + self.names.len() - 1);
        match parent {
            Some(parent) if parent.is_folder() => Ok((parent, name)),
            _ => Err(Error::Conflict("the parent folder does not exist".to_owned())),
        }
    }

    /// The target's place in `nodes()`, if it exists.
    pub fn target_index(&self) -> Option<usize> {
        self.target().map(|_| self.nodes.len() - 1)
    }

    /// The place in `nodes()` of the folder that the target is or would be in, if that exists; the
    /// caller's root has one if it is not the drive's.
    pub fn parent_index(&self) -> Option<usize> {
        (self.start + self.names.len()).checked_sub(1).filter(|index| *index < self.nodes.len())
    }

    /// The locks that hold for `nodes()[index]`, each with the node that it was taken on: its own,
    /// and those of infinite depth above it.
    pub fn covering(&self, index: usize) -> impl Iterator<Item = (usize, &Lock)> {
        self.nodes.iter().enumerate().take(index + 1).flat_map(move |(at, node)| {
            node.locks.iter().filter(move |lock| at == index || lock.is_infinite()).map(move |lock| (at, lock))
        })
    }

    /// The locks that hold for the target, or would if it existed.
    pub fn covering_target(&self) -> impl Iterator<Item = (usize, &Lock)> {
        let target = self.target_index();
        self.nodes.iter().enumerate().flat_map(move |(at, node)| {
            node.locks.iter().filter(move |lock| Some(at) == target || lock.is_infinite()).map(move |lock| (at, lock))
        })
    }

    /// Whether the node is the caller's root folder.
    pub fn is_root(&self) -> bool {
        self.names.is_empty()
    }

    /// The names from the caller's root to the node.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The nodes that exist, from the drive's root to the target or as far as they go.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// How many names lead from the caller's root to `nodes()[index]`; none above that root.
    pub fn depth(&self, index: usize) -> Option<usize> {
        index.checked_sub(self.start)
    }

    /// Whether the node of that number is on the way, the target included.
    pub fn passes(&self, id: i64) -> bool {
        self.nodes.iter().any(|node| node.id == id)
    }
}

#[derive(Deserialize)]
struct TrailRow {
    is_start: i64,
    #[serde(flatten)]
    node: Node,
}

impl Drive {
    /// Reads what `request` asks, for the caller of `credentials`: one round trip. An unknown or
    /// expired token is 401; a node of the drive outside the token's folder 403, one of another
    /// drive 404. `also` runs in the same batch, after the reads.
    pub async fn view(&self, credentials: &Credentials, request: &ViewRequest, also: Vec<Statement>) -> Result<View> {
        let mut batch = vec![self.caller_statement(credentials)];
        for address in &request.addresses {
            batch.push(self.trail_statement(credentials, address, request.detail));
            if request.locks_below {
                batch.push(self.locks_below_statement(credentials, address));
            }
        }
        if let Some(address) = request.addresses.first() {
            batch.extend(self.listing_statement(credentials, address, request));
        }
        batch.extend(also);
        let mut results = self.database.batch(batch).await?.into_iter();
        let mut rows = || results.next().ok_or_else(|| Error::internal("a batch gave too few results"));

        let caller: Caller = rows()?.first()?.ok_or(Error::Unauthorized)?;
        if caller.expires_at.is_some_and(|at| at <= self.now) {
            return Err(Error::Unauthorized);
        }
        let mut trails = Vec::with_capacity(request.addresses.len());
        for address in &request.addresses {
            let mut trail = self.trail(address, &rows()?)?;
            if request.locks_below {
                trail.locks_below = rows()?.parse()?;
            }
            trails.push(trail);
        }
        let listing = match request.listing {
            Listing::Nothing => Vec::new(),
            _ => rows()?.parse()?,
        };
        self.record_use(&caller);
        Ok(View { caller, trails, listing })
    }

    fn trail(&self, address: &Address, rows: &Rows) -> Result<Trail> {
        let rows: Vec<TrailRow> = rows.parse()?;
        let owned = rows.first().is_some_and(|row| row.node.root_of == Some(self.account));
        let start = rows.iter().position(|row| row.is_start == 1);
        let (true, nodes) = (owned, rows.into_iter().map(|row| row.node).collect::<Vec<_>>()) else {
            return Err(Error::NotFound("the resource"));
        };
        let start = start.ok_or_else(|| Error::Forbidden("the token is confined to another folder".to_owned()))?;
        let names = match address {
            Address::Path(names) => names.clone(),
            Address::Id(_) => nodes.iter().skip(start + 1).map(|node| node.name.clone()).collect(),
        };
        Ok(Trail { nodes, start, names, locks_below: Vec::new() })
    }

    fn caller_statement(&self, credentials: &Credentials) -> Statement {
        Statement::new(
            "SELECT t.id AS token_id, t.scopes, t.folder_id, t.expires_at, t.used_at, d.login, d.display_name, \
             d.quota, d.version_bytes, r.id AS root_id, r.size AS root_size \
             FROM tokens t JOIN drives d ON d.account_id = t.account_id JOIN nodes r ON r.root_of = t.account_id \
             WHERE t.hash = ?1 AND t.account_id = ?2",
            [credentials.hash.as_str().into(), self.account.into()],
        )
    }

    fn trail_statement(&self, credentials: &Credentials, address: &Address, detail: Detail) -> Statement {
        let columns = columns(detail);
        let sql = format!(
            "WITH RECURSIVE {START}, {} \
             SELECT w.is_start, {columns} FROM way w CROSS JOIN nodes n ON n.id = w.id ORDER BY w.depth",
            way(address)
        );
        let mut params = self.start_params(credentials, address);
        params.push(self.now.into());
        Statement::new(sql, params)
    }

    /// Walks up from each lock of the account, of which there are few, rather than down the tree.
    fn locks_below_statement(&self, credentials: &Credentials, address: &Address) -> Statement {
        let sql = format!(
            "WITH RECURSIVE {START}, {}, \
             up(token, node_id, exclusive, folder, path, id) AS ( \
               SELECT l.token, l.node_id, l.exclusive, n.content_id IS NULL, n.name, n.parent_id \
                 FROM locks l CROSS JOIN nodes n ON n.id = l.node_id \
                 WHERE l.account_id = ?2 AND l.expires_at > ?4 AND n.parent_id IS NOT NULL \
               UNION ALL SELECT up.token, up.node_id, up.exclusive, up.folder, n.name || '/' || up.path, n.parent_id \
                 FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) \
             SELECT token, node_id, exclusive, folder, path FROM up WHERE id = ({}) ORDER BY token",
            way(address),
            target(address)
        );
        let mut params = self.start_params(credentials, address);
        params.push(self.now.into());
        Statement::new(sql, params)
    }

    fn listing_statement(
        &self,
        credentials: &Credentials,
        address: &Address,
        request: &ViewRequest,
    ) -> Option<Statement> {
        let columns = columns(request.detail);
        let (start, way, target) = (START, way(address), target(address));
        let mut params = self.start_params(credentials, address);
        params.push(self.now.into());
        let (with, rows) = match &request.listing {
            Listing::Nothing => return None,
            Listing::Members => (String::new(), format!("nodes n WHERE n.parent_id = ({target}) ORDER BY n.name")),
            Listing::Below(limit) => {
                params.push((limit + 1).into());
                let below = "SELECT n.id FROM below b CROSS JOIN nodes n ON n.parent_id = b.id LIMIT ?5";
                (
                    format!(", below(id) AS (SELECT id FROM nodes WHERE parent_id = ({target}) UNION ALL {below})"),
                    "below b CROSS JOIN nodes n ON n.id = b.id".to_owned(),
                )
            }
            Listing::Files(after, limit) => {
                params.extend([after.as_str().into(), (*limit).into()]);
                let files = "n.content_id IS NOT NULL AND n.name > ?5 ORDER BY n.name LIMIT ?6";
                (String::new(), format!("nodes n WHERE n.parent_id = ({target}) AND {files}"))
            }
            Listing::Folders(after, limit) => {
                params.extend([(*after).into(), (*limit).into()]);
                let folders = "n.content_id IS NULL AND n.id > ?5 ORDER BY n.id LIMIT ?6";
                (String::new(), format!("nodes n WHERE n.parent_id = ({target}) AND {folders}"))
            }
            Listing::FoldersBelow(after, limit) => {
                params.extend([(*after).into(), (*limit).into()]);
                let below =
                    "SELECT n.id FROM below b CROSS JOIN nodes n ON n.parent_id = b.id AND n.content_id IS NULL";
                (
                    format!(
                        ", below(id) AS (SELECT id FROM nodes WHERE parent_id = ({target}) AND content_id IS NULL \
                         UNION ALL {below})"
                    ),
                    "below b CROSS JOIN nodes n ON n.id = b.id WHERE n.id > ?5 ORDER BY n.id LIMIT ?6".to_owned(),
                )
            }
        };
        Some(Statement::new(format!("WITH RECURSIVE {start}, {way}{with} SELECT {columns} FROM {rows}"), params))
    }

    fn start_params(&self, credentials: &Credentials, address: &Address) -> Vec<Value> {
        let address = match address {
            Address::Path(names) => serde_json::json!(names).to_string().into(),
            Address::Id(id) => (*id).into(),
        };
        vec![credentials.hash.as_str().into(), self.account.into(), address]
    }

    /// Notes that the token is in use, at most once an hour and after the answer.
    fn record_use(&self, caller: &Caller) {
        const HOUR: Millis = 3_600_000;
        if caller.used_at.is_some_and(|at| self.now - at < HOUR) {
            return;
        }
        let sql = self.database.sql.clone();
        let statement =
            Statement::new("UPDATE tokens SET used_at = ?2 WHERE id = ?1", [caller.token_id.into(), self.now.into()]);
        self.ports.tasks.spawn(Box::pin(async move {
            if let Err(error) = sql.batch(vec![statement]).await {
                log::warn!("the use of a token was not recorded: {error}");
            }
        }));
    }
}

/// `start`: the caller's root folder. ?1 is the token's hash, ?2 the account.
const START: &str = "start(id) AS ( \
   SELECT coalesce(t.folder_id, r.id) FROM tokens t JOIN nodes r ON r.root_of = t.account_id \
   WHERE t.hash = ?1 AND t.account_id = ?2)";

/// `way`: the nodes from the drive's root to the target, by depth below the caller's root (or, by
/// number, below the target). ?3 is the address.
fn way(address: &Address) -> &'static str {
    match address {
        // The name is looked up by json_extract, since a join with json_each reads all siblings.
        Address::Path(_) => {
            "down(depth, id) AS ( \
               SELECT 0, id FROM start \
               UNION ALL SELECT d.depth + 1, n.id FROM down d CROSS JOIN nodes n \
                 ON n.parent_id = d.id AND n.name = json_extract(?3, '$[' || d.depth || ']') \
                 WHERE d.depth < json_array_length(?3)), \
             above(depth, id) AS ( \
               SELECT -1, n.parent_id FROM start CROSS JOIN nodes n ON n.id = start.id WHERE n.parent_id IS NOT NULL \
               UNION ALL SELECT a.depth - 1, n.parent_id FROM above a CROSS JOIN nodes n ON n.id = a.id \
                 WHERE n.parent_id IS NOT NULL), \
             way(depth, id, is_start) AS ( \
               SELECT depth, id, 0 FROM above UNION ALL SELECT depth, id, depth = 0 FROM down)"
        }
        Address::Id(_) => {
            "chain(depth, id) AS ( \
               SELECT 0, ?3 \
               UNION ALL SELECT c.depth - 1, n.parent_id FROM chain c CROSS JOIN nodes n ON n.id = c.id \
                 WHERE n.parent_id IS NOT NULL), \
             way(depth, id, is_start) AS (SELECT depth, id, id = (SELECT id FROM start) FROM chain)"
        }
    }
}

/// The number of the target of `way`.
fn target(address: &Address) -> &'static str {
    match address {
        Address::Path(_) => "SELECT id FROM way WHERE depth = json_array_length(?3)",
        // Only where the caller's root is on the way to it.
        Address::Id(_) => "SELECT ?3 WHERE EXISTS (SELECT 1 FROM way WHERE is_start)",
    }
}

/// The columns of a node `n`; ?4 is the present time.
fn columns(detail: Detail) -> String {
    let mut columns = NODE.to_owned();
    columns.push_str(
        ", (SELECT json_group_array(json_object('token', l.token, 'exclusive', l.exclusive, 'infinite', \
             l.infinite, 'owner', l.owner, 'timeout_s', l.timeout_s, 'expires_at', l.expires_at)) \
             FROM locks l WHERE l.node_id = n.id AND l.expires_at > ?4) AS locks",
    );
    if detail.properties {
        columns.push_str(
            ", (SELECT json_group_array(json_object('namespace', p.namespace, 'name', p.name, 'value', p.value, \
             'lang', p.lang)) \
             FROM properties p WHERE p.node_id = n.id) AS properties",
        );
    }
    if detail.parts {
        columns.push_str(
            ", (SELECT json_object('sha1', c.sha1, 'md5', c.md5, 'sha256', c.sha256, 'parts', \
             (SELECT json_group_array(json_object('blob_key', s.blob_key, 'size', s.size, 'wrapped_key', \
             s.wrapped_key)) FROM (SELECT * FROM parts WHERE content_id = c.id ORDER BY seq) s)) \
             FROM contents c WHERE c.id = n.content_id) AS content",
        );
    } else if detail.digests {
        columns.push_str(
            ", (SELECT json_object('sha1', c.sha1, 'md5', c.md5, 'sha256', c.sha256) \
             FROM contents c WHERE c.id = n.content_id) AS content",
        );
    }
    columns
}
