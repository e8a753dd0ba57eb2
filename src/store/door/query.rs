//! The statements of a `View`. Each finds the caller's root and the way from there by itself, since
//! all of them go in one batch.

use std::fmt::Write;

use super::address::{Address, Credentials, Detail, Listing, ViewRequest};
use super::drive::Drive;
use crate::ports::{Statement, Value};
use crate::store::ground::node::NODE;

/// What a `Caller` knows of the drive: `d` is its row, `r` its root, `b` its trash; ?2 is the account.
const DRIVE: &str = "d.login, d.display_name, d.quota, d.version_bytes, d.upload_bytes, d.property_bytes, d.locks, \
   d.uploads, r.id AS root_id, r.size AS root_size, r.files + r.folders AS root_nodes, b.id AS trash_id, \
   b.size AS trash_size, b.files + b.folders AS trash_nodes, \
   EXISTS (SELECT 1 FROM webhooks WHERE account_id = ?2 AND enabled) AS has_webhooks, \
   (SELECT retry_at FROM scanner) AS scanner_retry_at";

/// Bytes of dead properties after which a page of members ends: D1 gives 50 MB at once, JSON may double them, and a Worker has
/// 128 MB.
pub const PAGE_BYTES: i64 = 8 << 20;

/// Bytes of the dead properties of all members `m` before one.
const PROPERTIES_BEFORE: &str = "sum((SELECT coalesce(sum(length(CAST(value AS BLOB))), 0) FROM properties \
   WHERE node_id = m.id)) OVER (ORDER BY m.name ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)";

impl Drive {
    pub(super) fn caller_statement(&self, credentials: &Credentials) -> Statement {
        Statement::read(
            format!(
                "SELECT t.id AS token_id, t.account_id, t.scopes, t.folder_id, t.expires_at, t.used_at, {DRIVE} \
                 FROM tokens t JOIN drives d ON d.account_id = t.account_id JOIN nodes r ON r.root_of = t.account_id \
                   JOIN nodes b ON b.root_of = -t.account_id \
                 WHERE t.hash = ?1 AND t.account_id = ?2"
            ),
            [credentials.hash.as_str().into(), self.account.into()],
        )
    }

    /// The caller who has no token, and may do everything. No token has the number 0.
    pub(super) fn operator_statement(&self) -> Statement {
        Statement::read(
            format!(
                "SELECT 0 AS token_id, d.account_id, 'read write manage' AS scopes, {DRIVE} \
                 FROM drives d JOIN nodes r ON r.root_of = d.account_id JOIN nodes b ON b.root_of = -d.account_id \
                 WHERE d.account_id = ?2 AND ?1 = 0"
            ),
            [0.into(), self.account.into()],
        )
    }

    pub(super) fn trail_statement(&self, credentials: &Credentials, address: &Address, detail: Detail) -> Statement {
        let columns = columns(detail);
        let sql = format!(
            "WITH RECURSIVE {}, {} \
             SELECT w.is_start, {columns} FROM way w CROSS JOIN nodes n ON n.id = w.id ORDER BY w.depth",
            start(address),
            way(address)
        );
        let mut params = self.start_params(credentials, address);
        params.push(self.now.into());
        Statement::read(sql, params)
    }

    /// Walks up from each lock of the account, of which there are few, rather than down the tree.
    pub(super) fn locks_below_statement(&self, credentials: &Credentials, address: &Address) -> Statement {
        let sql = format!(
            "WITH RECURSIVE {}, {}, \
             up(token, node_id, folder, path, id) AS ( \
               SELECT l.token, l.node_id, n.content_id IS NULL, n.name, n.parent_id \
                 FROM locks l CROSS JOIN nodes n ON n.id = l.node_id \
                 WHERE l.account_id = ?2 AND l.expires_at > ?4 AND n.parent_id IS NOT NULL \
               UNION ALL SELECT up.token, up.node_id, up.folder, n.name || '/' || up.path, n.parent_id \
                 FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) \
             SELECT up.node_id, up.folder, up.path, l.token, l.exclusive, l.infinite, l.owner, l.timeout_s, \
               l.expires_at, l.taken_at \
             FROM up CROSS JOIN locks l ON l.token = up.token WHERE up.id = ({}) ORDER BY l.token",
            start(address),
            way(address),
            target(address)
        );
        let mut params = self.start_params(credentials, address);
        params.push(self.now.into());
        Statement::read(sql, params)
    }

    pub(super) fn listing_statement(
        &self,
        credentials: &Credentials,
        address: &Address,
        request: &ViewRequest,
    ) -> Option<Statement> {
        let columns = columns(request.listing_detail);
        let (start, way, target) = (start(address), way(address), target(address));
        let mut params = self.start_params(credentials, address);
        params.push(self.now.into());
        let (with, rows) = match &request.listing {
            Listing::Nothing => return None,
            Listing::Members(after, limit) => {
                params.extend([after.as_str().into(), (*limit).into()]);
                let members = format!("parent_id = ({target}) AND name > ?5 ORDER BY name LIMIT ?6");
                let rows = if request.listing_detail.properties {
                    params.push(PAGE_BYTES.into());
                    format!(
                        "(SELECT m.*, {PROPERTIES_BEFORE} AS before FROM (SELECT * FROM nodes WHERE {members}) m) n \
                       WHERE coalesce(n.before, 0) < ?7 ORDER BY n.name"
                    )
                } else {
                    format!("nodes n WHERE n.{members}")
                };
                (String::new(), rows)
            }
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
        Some(Statement::read(format!("WITH RECURSIVE {start}, {way}{with} SELECT {columns} FROM {rows}"), params))
    }

    pub(in crate::store) fn start_params(&self, credentials: &Credentials, address: &Address) -> Vec<Value> {
        let address = match address {
            Address::Path(names) | Address::Trash(names) => serde_json::json!(names).to_string().into(),
            Address::Id(id) => (*id).into(),
            Address::Member(folder, name) => serde_json::json!([folder, name]).to_string().into(),
        };
        vec![credentials.hash.as_str().into(), self.account.into(), address]
    }
}

/// `start`: the caller's root folder, or the top of the trash. ?1 is the token's hash, ?2 the account.
pub(in crate::store) fn start(address: &Address) -> &'static str {
    match address {
        Address::Path(_) | Address::Id(_) | Address::Member(..) => {
            "start(id) AS ( \
               SELECT coalesce(t.folder_id, r.id) FROM tokens t JOIN nodes r ON r.root_of = t.account_id \
               WHERE t.hash = ?1 AND t.account_id = ?2)"
        }
        Address::Trash(_) => {
            "start(id) AS ( \
               SELECT r.id FROM tokens t JOIN nodes r ON r.root_of = -t.account_id \
               WHERE t.hash = ?1 AND t.account_id = ?2 AND t.folder_id IS NULL)"
        }
    }
}

/// `way`: the nodes from the drive's root to the target, by depth below the caller's root (or, by
/// number, below the target). ?3 is the address.
pub(in crate::store) fn way(address: &Address) -> &'static str {
    match address {
        // The name is looked up by json_extract, since a join with json_each reads all siblings.
        Address::Path(_) | Address::Trash(_) => {
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
        Address::Member(..) => {
            "chain(depth, id) AS ( \
               SELECT 0, json_extract(?3, '$[0]') \
               UNION ALL SELECT c.depth - 1, n.parent_id FROM chain c CROSS JOIN nodes n ON n.id = c.id \
                 WHERE n.parent_id IS NOT NULL), \
             way(depth, id, is_start) AS (SELECT depth, id, id = (SELECT id FROM start) FROM chain \
               UNION ALL SELECT 1, id, 0 FROM nodes \
                 WHERE parent_id = json_extract(?3, '$[0]') AND name = json_extract(?3, '$[1]'))"
        }
    }
}

/// The number of the target of `way`.
pub(in crate::store) fn target(address: &Address) -> &'static str {
    match address {
        Address::Path(_) | Address::Trash(_) => "SELECT id FROM way WHERE depth = json_array_length(?3)",
        Address::Member(..) => "SELECT id FROM way WHERE depth = 1 AND EXISTS (SELECT 1 FROM way WHERE is_start)",
        // Only where the caller's root is on the way to it.
        Address::Id(_) => "SELECT ?3 WHERE EXISTS (SELECT 1 FROM way WHERE is_start)",
    }
}

/// The columns of a node `n`; ?4 is the present time.
pub(in crate::store) fn columns(detail: Detail) -> String {
    let mut columns = NODE.to_owned();
    columns.push_str(
        ", (SELECT json_group_array(json_object('token', l.token, 'exclusive', l.exclusive, 'infinite', \
             l.infinite, 'owner', l.owner, 'timeout_s', l.timeout_s, 'expires_at', l.expires_at, 'taken_at', \
             l.taken_at)) \
             FROM locks l WHERE l.node_id = n.id AND l.expires_at > ?4) AS locks",
    );
    if detail.properties {
        columns.push_str(
            ", (SELECT json_group_array(json_object('namespace', p.namespace, 'name', p.name, 'value', p.value, \
             'lang', p.lang)) \
             FROM properties p WHERE p.node_id = n.id) AS properties, \
             (SELECT json_group_array(tag) FROM tags WHERE node_id = n.id) AS tags",
        );
    }
    if detail.parts || detail.digests {
        let _ = write!(columns, ", {} AS content", content_json("n.content_id", detail.parts));
    }
    columns
}

/// What is known of the content that the column `id` names, as JSON for `ContentInfo`.
pub(in crate::store) fn content_json(id: &str, parts: bool) -> String {
    // Without json(), SQLite may take the JSON of a subquery for text.
    let parts = if parts {
        ", 'parts', json((SELECT json_group_array(json_object('blob_key', s.blob_key, 'size', s.size, 'wrapped_key', \
         s.wrapped_key)) FROM (SELECT * FROM parts WHERE content_id = c.id ORDER BY seq) s))"
    } else {
        ""
    };
    format!(
        "(SELECT json_object('sha1', c.sha1, 'md5', c.md5, 'sha256', c.sha256, 'adler32', c.adler32, 'av', c.av, \
           'signature', c.signature, 'media', json(c.media), 'mismatch', c.mismatch{parts}) \
         FROM contents c WHERE c.id = {id})"
    )
}
