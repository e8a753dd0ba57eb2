//! How proptest draws operations.

use proptest::prelude::*;
use proptest::sample::select;

use crate::bearers::{Bearer, TokenUse};
use crate::operation::{Condition, Data, Operation, Path, Tokens};
use crate::pieces::Pieces;
use crate::tree::is_below;

/// Few paths, so that operations meet. The root is the last, since proptest shrinks to the first.
const PATHS: [Path; 11] = ["a", "b", "c", "a/b", "a/c", "b/c", "a/b/c", "b/b", "a/b/b", "d", ""];

/// Those at which files are likelier than folders.
const FILES: [Path; 5] = ["c", "a/c", "b/c", "a/b/c", "d"];

/// A quarter of the cases of elsewhere, since each makes a deployment and does many things.
pub fn fewer_cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases / 4, ..default }
}

/// Any operation. The numbers are weights.
pub fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![5 => change_of_content(), 5 => change_of_tree(), 4 => change_of_state(), 4 => rest_operation(), 6 => pieces(), 3 => token_use()]
}

fn change_of_content() -> impl Strategy<Value = Operation> {
    let put = (any_path(), data(), any::<bool>(), condition(), tokens());
    let upload = (file_path(), data());
    let restore = (select(&["c", "a/b/c", "d"][..]), 0..4_usize);
    prop_oneof![
        3 => put.prop_map(|(path, data, sized, condition, tokens)|
            Operation::Put { path, data, sized, condition, tokens }),
        2 => upload.prop_map(|(path, data)| Operation::Upload { path, data }),
        2 => restore.prop_map(|(path, nth)| Operation::Restore { path, nth }),
    ]
}

fn change_of_tree() -> impl Strategy<Value = Operation> {
    let mkcol = (any_path(), tokens());
    let delete = (any_path(), condition(), tokens());
    let copy = (two_paths(), any::<bool>(), any::<bool>(), tokens());
    let relocate = (two_paths(), any::<bool>(), tokens());
    prop_oneof![
        2 => mkcol.prop_map(|(path, tokens)| Operation::Mkcol { path, tokens }),
        1 => delete.prop_map(|(path, condition, tokens)| Operation::Delete { path, condition, tokens }),
        3 => copy.prop_map(|((from, to), overwrite, deep, tokens)|
            Operation::Copy { from, to, overwrite, deep, tokens }),
        3 => relocate.prop_map(|((from, to), overwrite, tokens)| Operation::Move { from, to, overwrite, tokens }),
    ]
}

fn change_of_state() -> impl Strategy<Value = Operation> {
    let property = (any_path(), select(&["p", "q"][..]), any::<Option<u8>>(), tokens());
    let lock = (any_path(), any::<bool>(), any::<bool>(), tokens());
    let path = || prop_oneof![3 => Just(None), 1 => any_path().prop_map(Some)];
    prop_oneof![
        2 => property.prop_map(|(path, name, value, tokens)| Operation::Proppatch { path, name, value, tokens }),
        4 => lock.prop_map(|(path, exclusive, infinite, tokens)| Operation::Lock { path, exclusive, infinite, tokens }),
        1 => (path(), 0..4_usize).prop_map(|(path, nth)| Operation::Refresh { path, nth }),
        2 => (path(), 0..4_usize).prop_map(|(path, nth)| Operation::Unlock { path, nth }),
        1 => Just(Operation::Wait),
    ]
}

fn rest_operation() -> impl Strategy<Value = Operation> {
    let inner = |(from, to): &(&str, &str)| !from.is_empty() && !to.is_empty();
    prop_oneof![
        2 => two_paths().prop_filter("the root has no name", inner).prop_map(|(path, to)| Operation::Rename { path, to }),
        1 => file_path().prop_map(|path| Operation::Remove { path }),
        2 => (0..4_usize).prop_map(|nth| Operation::Undelete { nth }),
        1 => (0..4_usize).prop_map(|nth| Operation::Purge { nth }),
    ]
}

fn pieces() -> impl Strategy<Value = Operation> {
    let upload = || select(&["u", "v"][..]);
    let total = prop_oneof![2 => Just(None), 1 => select(&[10, 20, 1000][..]).prop_map(Some)];
    let offset = prop_oneof![4 => Just(None), 1 => select(&[0, 5, 10][..]).prop_map(Some)];
    let pieces = prop_oneof![
        3 => (upload(), total).prop_map(|(upload, total)| Pieces::Begin { upload, total }),
        4 => (upload(), 1..4_usize, data()).prop_map(|(upload, number, data)| Pieces::Chunk { upload, number, data }),
        3 => (upload(), file_path()).prop_map(|(upload, to)| Pieces::Finish { upload, to }),
        1 => upload().prop_map(|upload| Pieces::Abandon { upload }),
        2 => (file_path(), select(&[10, 11, 1000][..])).prop_map(|(path, length)| Pieces::Create { path, length }),
        6 => (0..3_usize, offset, data()).prop_map(|(nth, offset, data)| Pieces::Patch { nth, offset, data }),
        1 => (0..3_usize).prop_map(|nth| Pieces::Terminate { nth }),
    ];
    (bearer(), pieces).prop_map(|(by, pieces)| Operation::Pieces { by, pieces })
}

fn bearer() -> impl Strategy<Value = Bearer> {
    prop_oneof![4 => Just(None), 1 => (0..2_usize).prop_map(Some)]
}

fn token_use() -> impl Strategy<Value = Operation> {
    let folder = select(&[None, Some("a"), Some("b"), Some("a/b"), Some("c")][..]);
    let put = (0..3_usize, file_path(), data());
    let token_use = prop_oneof![
        2 => folder.prop_map(|folder| TokenUse::Make { folder }),
        4 => put.prop_map(|(nth, path, data)| TokenUse::Put { nth, path, data }),
        1 => (0..3_usize).prop_map(|nth| TokenUse::Revoke { nth }),
    ];
    token_use.prop_map(Operation::Token)
}

fn any_path() -> impl Strategy<Value = Path> {
    prop_oneof![1 => select(&PATHS[..]), 1 => file_path()]
}

fn file_path() -> impl Strategy<Value = Path> {
    select(&FILES[..])
}

/// Two paths, of which seldom one is in the other.
fn two_paths() -> impl Strategy<Value = (Path, Path)> {
    let all = PATHS.iter().flat_map(|from| PATHS.iter().map(|to| (*from, *to)));
    let apart = |(from, to): &(&str, &str)| from != to && !is_below(from, to) && !is_below(to, from);
    prop_oneof![9 => select(all.filter(apart).collect::<Vec<_>>()), 1 => (any_path(), any_path())]
}

fn data() -> impl Strategy<Value = Data> {
    (select(&[10, 0, 1, 1000][..]), any::<u8>()).prop_map(|(length, byte)| Data { length, byte })
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        8 => Just(Condition::None),
        2 => Just(Condition::Current),
        1 => Just(Condition::Other),
        1 => Just(Condition::Vacant),
    ]
}

fn tokens() -> impl Strategy<Value = Tokens> {
    prop_oneof![
        4 => Just(Tokens::None),
        4 => Just(Tokens::All),
        1 => Just(Tokens::Tagged),
        1 => (0..4_usize).prop_map(Tokens::Nth),
    ]
}
