//! The batch of a change, and the guards that every one ends with, whoever sends it: the token still holds, what it touches
//! is still where the token reaches, and no limit of the drive is passed. A new limit of a drive is one more row here, one in
//! `ground::guard`, and one in the table of docs/webdav.md.

use serde_json::json;

use super::commit::Place;
use super::view::View;
use crate::error::Result;
use crate::ports::{Statement, Value};
use crate::store::ground::database::Results;

/// Files and folders in a drive and its trash.
const MOST_NODES: i64 = 1_000_000;

/// Bytes of dead properties and tags in a drive: names, languages and values, and `PROPERTY_OVERHEAD` for each.
const MOST_PROPERTY_BYTES: i64 = 64 << 20;

/// Locks in a drive: every operation on a tree looks at all of them.
const MOST_LOCKS: i64 = 2_000;

/// Uploads in pieces of a drive, from their beginning until they are forgotten.
const MOST_UPLOADS: i64 = 10_000;

/// Pieces of a content: the row that is read with a file holds them all, and a row of D1 2,000,000 bytes.
pub const MOST_PIECES: i64 = 10_000;

/// Folders on the way to a folder, itself included.
const MOST_DEPTH: i64 = 100;

/// Bytes of the path of a folder, in UTF-8, with a slash before each name. A URL has to hold it, percent-encoded.
const MOST_PATH: i64 = 4_096;

/// What a batch touches, for the guards that close it.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct Touched {
    /// Nodes below which it changes something, or that it changes: they must be where the token reaches.
    nodes: Vec<i64>,
    /// Whether they are in the trash rather than in the drive.
    in_trash: bool,
    /// The folder that has come to a place, with all that is below it.
    folder: Option<(i64, String)>,
    /// Uploads in pieces that it adds to.
    uploads: Vec<i64>,
    /// Whether the token that asks ends itself.
    ends_token: bool,
}

impl Touched {
    /// Nothing that has a place in the drive.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// A node of the drive, or what is directly in it.
    pub fn node(id: i64) -> Self {
        Self { nodes: vec![id], ..Self::default() }
    }

    /// The member of a folder of the drive that is, or was, at a place.
    pub fn member(place: &Place) -> Self {
        Self::node(place.parent)
    }

    /// The folder at a place of the drive, which was made or moved there by the same batch.
    pub fn new_folder(place: &Place) -> Self {
        Self { folder: Some((place.parent, place.name.clone())), ..Self::member(place) }
    }

    /// Something in the trash.
    pub fn trash(id: i64) -> Self {
        Self { nodes: vec![id], in_trash: true, ..Self::default() }
    }

    /// An upload in pieces.
    pub fn upload(id: i64) -> Self {
        Self { uploads: vec![id], ..Self::default() }
    }

    /// The token of that number, which the batch ends.
    pub fn ended_token(view: &View, id: i64) -> Self {
        Self { ends_token: id == view.caller.token_id, ..Self::default() }
    }

    /// The same, and the member of a folder of the drive at another place.
    #[must_use]
    pub fn and_member(mut self, place: &Place) -> Self {
        self.nodes.push(place.parent);
        self
    }
}

impl View {
    /// Runs the statements of a change as one atomic batch, which ends with the guards of the whole drive: see `Touched`.
    /// Gives the rows of each statement of the change. One round trip.
    pub(in crate::store) async fn commit(&self, mut change: Vec<Statement>, touched: &Touched) -> Result<Results> {
        let statements = change.len();
        change.push(self.closing(touched));
        let mut results = self.database.batch(change).await?;
        results.0.truncate(statements);
        Ok(results)
    }

    /// The last statement of a batch. A drive that was beyond a limit when it was read may stay so, and must not go
    /// further beyond: what is full can still be put in order.
    fn closing(&self, touched: &Touched) -> Statement {
        let caller = &self.caller;
        let root = if touched.in_trash { caller.trash_id } else { caller.root_id };
        // The operator may mend whatever is in the drive or in its trash.
        let nodes = if caller.is_operator() { &[] } else { touched.nodes.as_slice() };
        let (parent, name): (Value, Value) = match &touched.folder {
            Some((parent, name)) => ((*parent).into(), name.as_str().into()),
            None => (Value::Null, Value::Null),
        };
        let params: Vec<Value> = vec![
            self.account.into(),
            (if touched.ends_token { 0 } else { caller.token_id }).into(),
            // The present time, not that of the beginning: a body may have come for hours.
            self.ports.clock.now().into(),
            json!(nodes).to_string().into(),
            root.into(),
            caller.folder_id.unwrap_or(root).into(),
            parent,
            name,
            json!(touched.uploads).to_string().into(),
            caller.charged().into(),
            caller.nodes().into(),
            caller.property_bytes.into(),
            caller.locks.into(),
            caller.uploads.into(),
        ];
        Statement::write(closing_sql(), params)
    }
}

/// `up`: from each node that is touched to the root above it. `down`: the new folder and those folders below it whose
/// members might be beyond a limit, as far as the number of folders below them can tell.
fn closing_sql() -> String {
    format!(
        "INSERT INTO guard WITH RECURSIVE \
         up(node, id) AS (SELECT value, value FROM json_each(?4) \
           UNION ALL SELECT up.node, n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL), \
         above(id, bytes) AS (SELECT ?7, 0 WHERE ?7 IS NOT NULL \
           UNION ALL SELECT n.parent_id, length(CAST(n.name AS BLOB)) + 1 FROM above a CROSS JOIN nodes n ON n.id = a.id \
             WHERE n.parent_id IS NOT NULL), \
         down(id, depth, bytes, folders) AS ( \
           SELECT n.id, (SELECT count(*) FROM above), \
             (SELECT sum(bytes) FROM above) + length(CAST(n.name AS BLOB)) + 1, n.folders \
             FROM nodes n WHERE n.parent_id = ?7 AND n.name = ?8 AND n.content_id IS NULL \
           UNION ALL SELECT n.id, d.depth + 1, d.bytes + length(CAST(n.name AS BLOB)) + 1, n.folders \
             FROM down d CROSS JOIN nodes n ON n.parent_id = d.id AND n.content_id IS NULL \
             WHERE d.depth <= {MOST_DEPTH} AND d.bytes <= {MOST_PATH} \
               AND (d.depth + d.folders > {MOST_DEPTH} OR d.bytes + 256 * d.folders > {MOST_PATH})) \
         SELECT failed FROM (SELECT CASE \
           WHEN ?2 > 0 AND NOT EXISTS (SELECT 1 FROM tokens WHERE id = ?2 AND coalesce(expires_at > ?3, 1)) THEN 'token' \
           WHEN EXISTS (SELECT 1 FROM json_each(?4) t WHERE NOT EXISTS (SELECT 1 FROM up WHERE node = t.value AND id = ?5) \
             OR NOT EXISTS (SELECT 1 FROM up WHERE node = t.value AND id = ?6)) THEN 'place' \
           WHEN r.size + b.size + d.version_bytes + d.upload_bytes > max(d.quota, ?10) THEN 'quota' \
           WHEN r.files + r.folders + b.files + b.folders > max({MOST_NODES}, ?11) THEN 'nodes' \
           WHEN d.property_bytes > max({MOST_PROPERTY_BYTES}, ?12) THEN 'properties' \
           WHEN d.locks > max({MOST_LOCKS}, ?13) THEN 'locks' \
           WHEN d.uploads > max({MOST_UPLOADS}, ?14) THEN 'uploads' \
           WHEN EXISTS (SELECT 1 FROM json_each(?9) t CROSS JOIN uploads u ON u.id = t.value WHERE u.pieces > {MOST_PIECES}) \
             THEN 'pieces' \
           WHEN EXISTS (SELECT 1 FROM down WHERE depth > {MOST_DEPTH} OR bytes > {MOST_PATH}) THEN 'path' \
           END AS failed \
           FROM drives d JOIN nodes r ON r.root_of = d.account_id JOIN nodes b ON b.root_of = -d.account_id \
           WHERE d.account_id = ?1) WHERE failed IS NOT NULL"
    )
}
