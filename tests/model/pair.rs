//! A world and its model, side by side.

use std::collections::BTreeMap;

use edgedrive::ports::Ports;
use edgedrive::runtime::native::Native;
use serde_json::Value as Json;

use crate::events::take;
use crate::listing::{Entry, list};
use crate::operation::{Operation, fixture};
use crate::tree::{Tree, WAIT_MINUTES};
use crate::world::{Settings, World};

/// A world and its model.
pub struct Pair {
    pub world: World,
    pub tree: Tree,
}

/// What a client can see, but for what is random: no entity tags, no lock tokens, and the digests
/// of contents in place of their bytes. And what webhooks are told, in no order.
#[derive(Debug, PartialEq)]
pub struct Sight {
    entries: BTreeMap<String, Entry>,
    contents: Vec<Json>,
    events: Vec<Json>,
    uploads: Vec<Json>,
    tokens: Vec<Json>,
}

/// The digest of each file, and those of its versions.
const DIGESTS: &str = "WITH RECURSIVE way(id, path) AS (
     SELECT id, root_of < 0 FROM nodes WHERE root_of IS NOT NULL
     UNION ALL SELECT n.id, w.path || '/' || n.name FROM way w JOIN nodes n ON n.parent_id = w.id)
   SELECT w.path, c.sha256, (SELECT group_concat(o.sha256 ORDER BY v.id)
     FROM versions v JOIN contents o ON o.id = v.content_id WHERE v.node_id = n.id) AS versions
   FROM way w JOIN nodes n ON n.id = w.id JOIN contents c ON c.id = n.content_id ORDER BY w.path";

/// What webhooks are to be told. A new file goes where its folder goes: whether that moved before it was made or after is all
/// the same.
const EVENTS: &str = "SELECT payload ->> '$.event' AS event, payload ->> '$.file.name' AS name,
     payload ->> '$.from.name' AS was
   FROM jobs WHERE kind = 'webhook' AND NOT (payload ->> '$.event' = 'file.moved' AND payload ->> '$.file.id' IN (
     SELECT payload ->> '$.file.id' FROM jobs WHERE kind = 'webhook' AND payload ->> '$.event' = 'file.created'))
   ORDER BY event, name, was";

/// Uploads under way, and those of TUS that are at their end.
const UPLOADS: &str = "SELECT u.target IS NULL AS is_named, u.total, u.received, u.linked,
     (SELECT group_concat(number || ':' || size ORDER BY number) FROM chunks WHERE upload_id = u.id) AS chunks
   FROM uploads u ORDER BY is_named, total, received, linked, chunks";

/// Tokens.
const TOKENS: &str = "SELECT name, folder_id FROM tokens ORDER BY name, folder_id";

impl Pair {
    /// Both empty. The ports of the world pass through `wrap`.
    pub fn new(settings: Settings, wrap: impl FnOnce(&Native) -> Ports) -> Self {
        Self { world: World::new(settings, wrap), tree: Tree::new(settings) }
    }

    /// Both once more, as they are at present. The ports of the world pass through `wrap`.
    pub fn copy(&self, wrap: impl FnOnce(&Native) -> Ports) -> Self {
        Self { world: self.world.copy(self.tree.settings, wrap), tree: self.tree.clone() }
    }

    /// Does the fixture and `operations`, of which webhooks are told.
    pub fn prepare(&mut self, operations: &[Operation]) {
        for operation in fixture().iter().chain(operations) {
            self.perform(operation);
            self.world.settle();
        }
        take(&self.world);
    }

    /// Has the world do an operation, the model likewise, and compares their answers. Says whether
    /// it was done.
    pub fn perform(&mut self, operation: &Operation) -> bool {
        // No two deletions are of the same time.
        self.world.native.clock.advance(1);
        let Some(request) = operation.request(&self.tree, &self.world) else {
            self.world.native.clock.advance(i64::try_from(WAIT_MINUTES).unwrap() * 60_000);
            self.tree.carry_out(operation, "");
            return true;
        };
        let refusals = self.tree.refusals(operation);
        let answer = self.world.send(request);
        let (status, text) = (answer.status, answer.text());
        if refusals.is_empty() {
            assert_eq!(status, self.tree.carry_out(operation, &answer.given()), "{operation:?}: {text}");
        } else {
            assert!(refusals.contains(status), "{operation:?}: {status} is none of {refusals:?}: {text}");
        }
        refusals.is_empty()
    }

    /// What a client sees of the world.
    pub fn sight(&self) -> Sight {
        self.world.settle();
        let mut entries = list(&self.world).entries;
        for held in entries.values_mut().flat_map(|entry| &mut entry.locks) {
            held.token.clear();
        }
        for entry in entries.values_mut() {
            entry.locks.sort();
        }
        let rows = |sql: &'static str| self.world.rows(sql, []);
        Sight { entries, contents: rows(DIGESTS), events: rows(EVENTS), uploads: rows(UPLOADS), tokens: rows(TOKENS) }
    }
}
