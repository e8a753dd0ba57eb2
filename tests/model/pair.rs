//! A world and its model, side by side.

use std::collections::BTreeMap;

use edgedrive::ports::Ports;
use edgedrive::runtime::native::Native;
use serde_json::Value as Json;

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
/// of contents in place of their bytes.
pub type Sight = (BTreeMap<String, Entry>, Vec<Json>);

/// The digest of each file, and those of its versions.
const DIGESTS: &str = "WITH RECURSIVE way(id, path) AS (
     SELECT id, root_of < 0 FROM nodes WHERE root_of IS NOT NULL
     UNION ALL SELECT n.id, w.path || '/' || n.name FROM way w JOIN nodes n ON n.parent_id = w.id)
   SELECT w.path, c.sha256, (SELECT group_concat(o.sha256 ORDER BY v.id)
     FROM versions v JOIN contents o ON o.id = v.content_id WHERE v.node_id = n.id) AS versions
   FROM way w JOIN nodes n ON n.id = w.id JOIN contents c ON c.id = n.content_id ORDER BY w.path";

impl Pair {
    /// Both empty. The ports of the world pass through `wrap`.
    pub fn new(settings: Settings, wrap: impl FnOnce(&Native) -> Ports) -> Self {
        Self { world: World::new(settings, wrap), tree: Tree::new(settings) }
    }

    /// Does the fixture and `operations`.
    pub fn prepare(&mut self, operations: &[Operation]) {
        for operation in fixture().iter().chain(operations) {
            self.perform(operation);
        }
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
            let token = answer.header("lock-token").trim_matches(['<', '>']);
            assert_eq!(status, self.tree.carry_out(operation, token), "{operation:?}: {text}");
        } else {
            assert!(refusals.contains(status), "{operation:?}: {status} is none of {refusals:?}: {text}");
        }
        refusals.is_empty()
    }

    /// What a client sees of the world.
    pub fn sight(&self) -> Sight {
        let mut entries = list(&self.world).entries;
        for held in entries.values_mut().flat_map(|entry| &mut entry.locks) {
            held.token.clear();
        }
        for entry in entries.values_mut() {
            entry.locks.sort();
        }
        (entries, self.world.rows(DIGESTS, []))
    }
}
