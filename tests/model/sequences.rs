//! Random operations, one after the other. After each, the answer and all that PROPFIND and GET
//! show are what the model says, and webhooks are told of what has become of each file; in the end the versions too, and the database adds up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use edgedrive::runtime::native::Native;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::listing::{Listing, list, read};
use crate::operation::{Operation, fixture};
use crate::pair::Pair;
use crate::strategy::{fewer_cases, operation};
use crate::tree::Tree;
use crate::world::{Settings, World};
use crate::{events, invariants};

/// COPY may double a tree; beyond so many nodes, one more tells nothing new. Of more than a hundred, a job tells webhooks.
const MOST_NODES: usize = 50;

proptest! {
    #![proptest_config(fewer_cases())]

    #[test]
    fn a_drive_does_what_its_model_does(settings in settings(), operations in vec(operation(), 1..40)) {
        let mut pair = Pair::new(settings, Native::ports);
        let mut history = History::default();
        for operation in fixture().iter().chain(&operations) {
            step(&mut pair, &mut history, operation);
        }
        assert_eq!(read(&pair.world), pair.tree.contents());
        invariants::check(&pair.world, settings);
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    (select(&[None, Some(1500), Some(5000)][..]), 0..4_usize, prop_oneof![3 => Just(true), 1 => Just(false)])
        .prop_map(|(quota, versions_kept, trash)| Settings { quota, versions_kept, trash })
}

fn step(pair: &mut Pair, history: &mut History, operation: &Operation) {
    if matches!(operation, Operation::Copy { .. }) && pair.tree.nodes().count() > MOST_NODES {
        return;
    }
    let before = events::files(&pair.world);
    pair.perform(operation);
    let expected = events::expected(&before, &events::files(&pair.world));
    assert_eq!(events::take(&pair.world), expected, "what webhooks are told of {operation:?}");
    pair.world.settle();
    let listing = list(&pair.world);
    assert_eq!(listing.entries, pair.tree.entries(), "after {operation:?}");
    history.check(&pair.world, &pair.tree, &listing);
}

/// Entity tags that were seen: each stands for one revision, and each revision for one tag. So a
/// folder's changes if and only if something at or below it does.
#[derive(Default)]
struct History {
    tags: HashMap<(u64, u64), String>,
    revisions: HashMap<(String, String), (u64, u64)>,
    numbers: HashMap<u64, i64>,
}

impl History {
    fn check(&mut self, world: &World, tree: &Tree, listing: &Listing) {
        for (path, node) in tree.nodes() {
            let (revision, etag) = ((node.id, node.revision), &listing.etags[path]);
            let tag = self.tags.entry(revision).or_insert_with(|| etag.clone());
            assert_eq!(etag, tag, "the entity tag of {path:?} changed, and nothing else");
            let seen = self.revisions.entry((path.to_owned(), etag.clone()));
            let is_new = matches!(seen, Entry::Vacant(_));
            assert_eq!(*seen.or_insert(revision), revision, "{path:?} changed, and its entity tag did not");
            if is_new {
                check_bytes(world, tree, path);
                let number = world.find(path).expect("it was listed").0;
                assert_eq!(*self.numbers.entry(node.id).or_insert(number), number, "{path:?} has another number");
            }
        }
    }
}

/// The bytes of a file are those of the model.
fn check_bytes(world: &World, tree: &Tree, path: &str) {
    if let Some(expected) = tree.bytes(path) {
        assert_eq!(world.get(&format!("/dav/{}", path.replace(' ', "%20"))).bytes(), expected, "the bytes of {path:?}");
    }
}
