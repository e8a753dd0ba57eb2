//! What webhooks are told of: jobs that the batch of a change inserts.

use serde::{Deserialize, Serialize};

use crate::ports::{Millis, Statement, Value};
use crate::store::door::commit::Place;
use crate::store::door::view::View;
use crate::store::ground::content_info::SETTLED;
use crate::store::ground::node::Node;

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// There is a new file.
    #[serde(rename = "file.created")]
    Created,
    /// A file has another content.
    #[serde(rename = "file.updated")]
    Updated,
    /// A file is gone.
    #[serde(rename = "file.deleted")]
    Deleted,
    /// A file has another name, or is in another folder.
    #[serde(rename = "file.moved")]
    Moved,
    /// A virus was found in a file.
    #[serde(rename = "file.infected")]
    Infected,
    /// A webhook is tried out; nothing happened.
    #[serde(rename = "webhook.test")]
    Test,
}

impl EventKind {
    /// Those that a webhook may ask for.
    pub const CHOICES: [Self; 5] = [Self::Created, Self::Updated, Self::Deleted, Self::Moved, Self::Infected];

    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "file.created",
            Self::Updated => "file.updated",
            Self::Deleted => "file.deleted",
            Self::Moved => "file.moved",
            Self::Infected => "file.infected",
            Self::Test => "webhook.test",
        }
    }
}

/// One event, as the job that tells of it keeps it.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// What happened.
    pub event: EventKind,
    /// When.
    pub at: Millis,
    /// The drive's root folder, which has no name for clients.
    #[serde(default)]
    pub root: i64,
    /// The file as it was after the change, or before its end.
    pub file: Option<Node>,
    /// Where a moved file was.
    pub from: Option<FormerPlace>,
}

/// Where a file was.
#[derive(Debug, Clone, Deserialize)]
pub struct FormerPlace {
    /// The folder; none for one that was moved within a folder that was moved.
    pub parent_id: i64,
    /// The name.
    pub name: String,
}

/// Files of which the batch of a change tells itself; of a larger tree one job does, step by step (`tree_event`).
pub(in crate::store) const MOST_AT_ONCE: i64 = 100;

/// Which event it is: a file that has come to be settled in this very request is new.
const KIND: &str = "CASE WHEN ?5 <> 'file.written' THEN ?5 WHEN n.settled_at = ?4 THEN 'file.created' \
                    ELSE 'file.updated' END";

/// `wanted`: the webhooks of account ?1.
pub(super) const WANTED: &str = "wanted(id, folder_id, events) AS MATERIALIZED (SELECT id, folder_id, ' ' || events || ' ' \
   FROM webhooks WHERE account_id = ?1 AND enabled)";

/// The jobs that tell of the event ?5 at the time ?4: one for each row of `reach`, a webhook and a file that it reaches,
/// if it wants to hear of that. ?6 and ?7 are where the node `root` was before it was moved. A file counts that was settled
/// by the time ?8, or, where that is NULL, is now.
pub(super) fn telling(reach: &str) -> String {
    format!(
        "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
         WITH RECURSIVE {WANTED}, {reach} \
         SELECT ?1, 'webhook', w.id, json_object('event', {KIND}, 'at', CAST(?4 AS INTEGER), \
           'root', (SELECT id FROM nodes WHERE root_of = ?1), \
           'file', json_object('id', n.id, 'parent_id', n.parent_id, 'name', n.name, \
             'content_id', n.content_id, 'mime', n.mime, 'size', n.size, 'files', 0, 'folders', 0, \
             'etag', n.etag, 'created_at', n.created_at, 'modified_at', n.modified_at, \
             'content', '' || json_object('sha1', c.sha1, 'md5', c.md5, 'sha256', c.sha256, 'av', c.av, \
               'signature', c.signature)), \
           'from', CASE WHEN ?6 IS NOT NULL THEN json_object( \
             'parent_id', CASE WHEN n.id = (SELECT id FROM root) THEN CAST(?6 AS INTEGER) ELSE n.parent_id END, \
             'name', CASE WHEN n.id = (SELECT id FROM root) THEN ?7 ELSE n.name END) END), ?4, ?4 \
         FROM reach r CROSS JOIN nodes n ON n.id = r.id CROSS JOIN contents c ON c.id = n.content_id \
           CROSS JOIN wanted w ON w.id = r.hook \
         WHERE instr(w.events, ' ' || {KIND} || ' ') \
           AND CASE WHEN ?5 IN ('file.written', 'file.created') THEN c.{SETTLED} \
             WHEN ?5 = 'file.infected' THEN 1 ELSE n.settled_at IS NOT NULL END \
           AND (?8 IS NULL OR n.settled_at <= ?8) \
         RETURNING 1 AS one"
    )
}

/// `reach` for the files that `files` selects, of those that are in the drive and not in its trash.
pub(super) fn reach_of(files: &str) -> String {
    format!(
        "root(id) AS (SELECT NULL), \
         files(id) AS MATERIALIZED ({files}), \
         up(file, id) AS (SELECT f.id, n.parent_id FROM files f CROSS JOIN nodes n ON n.id = f.id \
           UNION SELECT up.file, n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL), \
         present(file) AS MATERIALIZED (SELECT up.file FROM up CROSS JOIN nodes r ON r.id = up.id WHERE r.root_of = ?1), \
         reach(hook, id) AS (SELECT w.id, p.file FROM wanted w CROSS JOIN present p WHERE w.folder_id IS NULL \
           UNION SELECT w.id, p.file FROM present p CROSS JOIN up ON up.file = p.file \
             CROSS JOIN wanted w ON w.folder_id = up.id)"
    )
}

impl View {
    /// Tells of the file that has just been given a content.
    pub(in crate::store) fn announce_written(&self, place: &Place) -> Option<Statement> {
        self.announce("file.written", place, 1, None)
    }

    /// Tells of every file of a tree of `nodes` nodes that has just been made at a place.
    pub(in crate::store) fn announce_created(&self, place: &Place, nodes: i64) -> Option<Statement> {
        self.announce(EventKind::Created.name(), place, nodes, None)
    }

    /// Tells of every file at or below a place that is about to be deleted.
    pub(in crate::store) fn announce_deleted(&self, place: &Place) -> Option<Statement> {
        self.announce(EventKind::Deleted.name(), place, place.nodes, None)
    }

    /// Tells of every file of a tree of `nodes` nodes that has just been moved.
    pub(in crate::store) fn announce_moved(&self, from: &Place, to: &Place, nodes: i64) -> Option<Statement> {
        self.announce(EventKind::Moved.name(), to, nodes, Some(from))
    }

    /// One job for each file at or below `place` and each webhook that wants to hear of it: those
    /// of the whole drive, of a folder above, and of a folder within. One for all of them where there
    /// are many nodes. Nothing where the account had no webhook when the request began.
    fn announce(&self, event: &'static str, place: &Place, nodes: i64, from: Option<&Place>) -> Option<Statement> {
        if self.caller.has_webhooks == 0 {
            return None;
        }
        if nodes > MOST_AT_ONCE {
            return Some(self.announce_tree(event, place));
        }
        let (former_parent, former_name): (Value, Value) = match from {
            Some(from) => (from.parent.into(), from.name.as_str().into()),
            None => (Value::Null, Value::Null),
        };
        let reach = "root(id) AS MATERIALIZED (SELECT id FROM nodes WHERE parent_id = ?2 AND name = ?3 \
               AND EXISTS (SELECT 1 FROM wanted)), \
             up(id) AS (SELECT parent_id FROM nodes WHERE id = (SELECT id FROM root) UNION ALL \
               SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL), \
             climb(hook, folder_id, id) AS (SELECT id, folder_id, folder_id FROM wanted WHERE folder_id IS NOT NULL \
               UNION ALL SELECT c.hook, c.folder_id, n.parent_id FROM climb c CROSS JOIN nodes n ON n.id = c.id \
                 WHERE n.parent_id IS NOT NULL AND c.id <> (SELECT id FROM root)), \
             reach(hook, id) AS ( \
               SELECT w.id, r.id FROM root r CROSS JOIN wanted w \
                 WHERE w.folder_id IS NULL OR w.folder_id IN (SELECT id FROM up) \
               UNION SELECT c.hook, c.folder_id FROM root r CROSS JOIN climb c ON c.id = r.id \
               UNION SELECT r.hook, n.id FROM reach r CROSS JOIN nodes n ON n.parent_id = r.id)";
        Some(Statement::jobs(
            telling(reach),
            [
                self.account.into(),
                place.parent.into(),
                place.name.as_str().into(),
                self.now.into(),
                event.into(),
                former_parent,
                former_name,
                Value::Null,
            ],
        ))
    }
}
