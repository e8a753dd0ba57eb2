//! Reading: the caller, the way to a node, its locks and a listing, in one round trip. The SQL is
//! in `query`.

use std::ops::Deref;

use serde::Deserialize;

use super::drive::{Drive, Record};
use super::trail::Trail;
use crate::error::{Error, Result};
use crate::ports::{Millis, Rows, Statement};
use crate::store::ground::node::Node;
use crate::store::ground::scope::Scopes;

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
    /// The owner's number.
    pub account_id: i64,
    /// What the token allows.
    pub scopes: Scopes,
    /// The folder that the token is confined to.
    pub folder_id: Option<i64>,
    /// When the token ends.
    pub expires_at: Option<Millis>,
    /// When the token was last used, to the hour.
    pub used_at: Option<Millis>,
    /// The owner's login.
    pub login: String,
    /// The owner's name for people.
    pub display_name: String,
    /// Bytes that the drive may hold; none for no limit.
    pub quota: Option<i64>,
    version_bytes: i64,
    upload_bytes: i64,
    /// Bytes of dead properties and tags.
    pub(super) property_bytes: i64,
    /// Locks in the drive, some of which may have expired.
    pub(super) locks: i64,
    /// Uploads in pieces that are not forgotten.
    pub(super) uploads: i64,
    /// The drive's root folder.
    pub root_id: i64,
    root_size: i64,
    root_nodes: i64,
    pub(in crate::store) trash_id: i64,
    trash_size: i64,
    trash_nodes: i64,
    pub(in crate::store) has_webhooks: i64,
    scanner_retry_at: Option<Millis>,
}

impl Caller {
    /// Whether the virus scanner is known to fail at that time, so that nobody need wait for it.
    pub fn scanner_fails(&self, now: Millis) -> bool {
        self.scanner_retry_at.is_some_and(|retry_at| now < retry_at)
    }

    /// Whether it is nobody with a token, but the operator.
    pub(super) fn is_operator(&self) -> bool {
        self.token_id == 0
    }

    /// Bytes used: all files, those in the trash among them, and their earlier versions.
    pub fn used(&self) -> i64 {
        self.root_size + self.trash_size + self.version_bytes
    }

    /// What the quota is held against: bytes used, and those of uploads under way.
    pub(super) fn charged(&self) -> i64 {
        self.used() + self.upload_bytes
    }

    /// Files and folders, those in the trash among them.
    pub(super) fn nodes(&self) -> i64 {
        self.root_nodes + self.trash_nodes
    }

    /// Bytes that may still be stored beside all that is, uploads under way among it; `None` without a quota.
    pub fn available(&self) -> Option<i64> {
        self.quota.map(|quota| (quota - self.charged()).max(0))
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
    /// A name in the folder of a number, whether anything has it or not.
    Member(i64, String),
    /// Names from the top of the trash downwards; empty for the trash itself. A token that is confined to a folder sees
    /// none of it.
    Trash(Vec<String>),
}

impl Address {
    /// What has that name in the folder at this address; none below what is itself named like that.
    pub fn member(&self, name: &str) -> Option<Self> {
        let with_name = |names: &[String]| names.iter().cloned().chain([name.to_owned()]).collect();
        match self {
            Self::Path(names) => Some(Self::Path(with_name(names))),
            Self::Trash(names) => Some(Self::Trash(with_name(names))),
            Self::Id(folder) => Some(Self::Member(*folder, name.to_owned())),
            Self::Member(..) => None,
        }
    }
}

/// What to read of each node besides its row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Detail {
    /// Dead properties, and tags.
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
    /// The members of the folder, in the order of their names, after a name and up to a number; fewer where their dead
    /// properties, if they are asked for, come to [`PAGE_BYTES`](crate::store::PAGE_BYTES).
    Members(String, i64),
    /// Everything below it, parents before their members, up to a number of nodes and one more.
    Below(i64),
    /// The files in the folder, likewise.
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
    /// What to read of the nodes on the way.
    pub detail: Detail,
    /// What to list below the first address.
    pub listing: Listing,
    /// What to read of the nodes in the listing.
    pub listing_detail: Detail,
    /// Whether to find the locks below the targets, which only operations on trees heed.
    pub locks_below: bool,
}

impl ViewRequest {
    /// Just the way to one node.
    pub fn of(address: Address) -> Self {
        Self { addresses: vec![address], ..Self::default() }
    }
}

/// The drive as it was read. Only what was read can be changed: the writing methods of the store are methods of a view.
pub struct View {
    drive: Drive,
    /// Who asks.
    pub caller: Caller,
    /// One for each address.
    pub trails: Vec<Trail>,
    /// The listing, without the folder itself.
    pub listing: Vec<Node>,
    /// What the statements gave that were sent along.
    pub also: Vec<Rows>,
}

impl View {
    /// The trail of the first address.
    pub fn trail(&self) -> Result<&Trail> {
        self.trails.first().ok_or_else(|| Error::internal("a view without a trail"))
    }
}

/// A view can be asked whatever the drive can.
impl Deref for View {
    type Target = Drive;

    fn deref(&self) -> &Drive {
        &self.drive
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
    /// drive 404. `also` reads in the same batch, after that.
    pub async fn view(&self, credentials: &Credentials, request: &ViewRequest, also: Vec<Statement>) -> Result<View> {
        self.view_before_storing(credentials, request, also, Vec::new()).await
    }

    /// The same, and records the blobs that are about to be stored, in the same batch.
    pub async fn view_before_storing(
        &self,
        credentials: &Credentials,
        request: &ViewRequest,
        also: Vec<Statement>,
        records: Vec<Record>,
    ) -> Result<View> {
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
        let mut results = self.look(batch, records).await?.into_iter();
        let mut rows = || results.next().ok_or_else(|| Error::internal("a batch gave too few results"));

        let caller: Caller = rows()?.first()?.ok_or(Error::Unauthorized)?;
        if caller.expires_at.is_some_and(|at| at <= self.now) {
            return Err(Error::Unauthorized);
        }
        if self.login.borrow().as_ref().is_some_and(|login| *login != caller.login) {
            return Err(Error::NoResource);
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
        Ok(View { drive: self.clone(), caller, trails, listing, also: results.collect() })
    }

    /// The drive for who needs no token: the operator's tools. `also` reads in the same batch. One round trip; 404 where
    /// there is no such drive.
    pub async fn view_as_operator(&self, also: Vec<Statement>) -> Result<View> {
        let batch = [self.operator_statement()].into_iter().chain(also).collect();
        let mut results = self.query(batch).await?.into_iter();
        let caller: Option<Caller> = results.next().map(|rows| rows.first()).transpose()?.flatten();
        let caller = caller.ok_or(Error::NotFound("the account"))?;
        Ok(View { drive: self.clone(), caller, trails: Vec::new(), listing: Vec::new(), also: results.collect() })
    }

    fn trail(&self, address: &Address, rows: &Rows) -> Result<Trail> {
        let rows: Vec<TrailRow> = rows.parse()?;
        let root = if matches!(address, Address::Trash(_)) { -self.account } else { self.account };
        let owned = rows.first().is_some_and(|row| row.node.root_of == Some(root));
        if !owned {
            return Err(Error::NoResource);
        }
        let start = rows.iter().position(|row| row.is_start == 1);
        let nodes: Vec<_> = rows.into_iter().map(|row| row.node).collect();
        let start = start.ok_or_else(|| Error::Forbidden("the token is confined to another folder".to_owned()))?;
        let names = match address {
            Address::Path(names) | Address::Trash(names) => names.clone(),
            Address::Id(_) => nodes.iter().skip(start + 1).map(|node| node.name.clone()).collect(),
            Address::Member(folder, name) => {
                let is_there = nodes.last().is_some_and(|node| node.parent_id == Some(*folder) && node.name == *name);
                let missing = (!is_there).then(|| name.clone());
                nodes.iter().skip(start + 1).map(|node| node.name.clone()).chain(missing).collect()
            }
        };
        Ok(Trail { nodes, start, names, locks_below: Vec::new() })
    }

    /// Notes that the token is in use, at most once an hour and after the answer.
    fn record_use(&self, caller: &Caller) {
        const HOUR: Millis = 3_600_000;
        if caller.used_at.is_some_and(|at| self.now - at < HOUR) {
            return;
        }
        let sql = "UPDATE tokens SET used_at = ?2 WHERE id = ?1";
        self.note_later(Record(Statement::write(sql, [caller.token_id.into(), self.now.into()])));
    }
}
