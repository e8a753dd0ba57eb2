//! Two operations at once (`race`): in all orders for the pairs that are known to be delicate, in random ones for random
//! pairs.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::bearers::{make_token, revoke, write_by_token};
use crate::operation::{Condition, Data, Operation, Path, Tokens, copy, delete, lock, mkcol, proppatch, put, relocate};
use crate::pieces::{Pieces, abandon, begin, by_token, chunk, create, finish, patch, pieces, terminate};
use crate::race::{Schedule, check_all_orders, check_interruptions, in_turn, race, run, start};
use crate::strategy::{fewer_cases, operation};
use crate::world::Settings;

/// COPY with `Overwrite: F`
fn copy_to_vacant(from: Path, to: Path) -> Operation {
    Operation::Copy { from, to, overwrite: false, deep: true, tokens: Tokens::None }
}

fn put_if(path: Path, condition: Condition) -> Operation {
    let data = Data { length: 7, byte: b'7' };
    Operation::Put { path, data, sized: true, condition, tokens: Tokens::All }
}

/// Pairs on the fixture as it is.
fn delicate_pairs() -> Vec<[Operation; 2]> {
    let upload = |path| Operation::Upload { path, data: Data { length: 5, byte: b'5' } };
    let rename = |path, to| Operation::Rename { path, to };
    let restore = |path| Operation::Restore { path, nth: 0 };
    vec![
        // One name.
        [put("d", 1), put("d", 2)],
        [put("c", 1), put("c", 2)],
        [put_if("c", Condition::Current), put("c", 2)],
        [put_if("c", Condition::Current), put_if("c", Condition::Current)],
        [put_if("d", Condition::Vacant), put_if("d", Condition::Vacant)],
        [put("d", 1), mkcol("d")],
        [put("d", 1), upload("d")],
        [mkcol("d"), mkcol("d")],
        [put("c", 1), delete("c")],
        [delete("c"), delete("c")],
        [put("c", 1), restore("c")],
        [restore("c"), restore("c")],
        [restore("c"), delete("c")],
        [proppatch("c"), delete("c")],
        [proppatch("c"), proppatch("c")],
        [proppatch("c"), copy("c", "d")],
        // A folder and what is in it.
        [delete("a"), mkcol("a/c")],
        [delete("a"), put("a/b/c", 1)],
        [delete("a"), upload("a/c")],
        [delete("a"), relocate("c", "a/c")],
        [delete("a"), copy("c", "a/c")],
        [relocate("a", "d"), put("a/b/c", 1)],
        [relocate("a", "d"), put("d/b", 1)],
        [copy("a", "d"), put("a/b/c", 1)],
        [copy("a", "d"), delete("a/b")],
        [copy("a", "d"), relocate("c", "a/c")],
        [copy("a", "b"), relocate("b", "d")],
        [copy("a", "b"), put("b/c", 1)],
        // Source and destination.
        [copy_to_vacant("c", "d"), put("d", 1)],
        [copy_to_vacant("c", "d"), relocate("b/c", "d")],
        [copy_to_vacant("a", "d"), mkcol("d")],
        [relocate("a", "b/b"), relocate("b", "a/c")],
        [relocate("a", "b"), relocate("b", "a")],
        [relocate("c", "d"), put("c", 1)],
        [relocate("c", "d"), put("d", 1)],
        [relocate("c", "d"), relocate("c", "e")],
        [relocate("c", "d"), relocate("b/c", "d")],
        [relocate("c", "b/c"), put("b/c", 1)],
        [relocate("c", "b/c"), restore("c")],
        [copy("c", "d"), put("c", 1)],
        [copy("c", "b/c"), put("b/c", 1)],
        [copy("c", "b"), delete("b")],
        [copy("c", "b/c"), delete("b/c")],
        [copy("a", "b"), delete("b")],
        [copy("c", "d"), delete("c")],
        [copy("b", "c"), copy("c", "b")],
        [rename("c", "d"), rename("b/c", "d")],
        [rename("c", "a/c"), delete("a")],
        [rename("a", "b/b"), rename("b", "a/c")],
        [rename("c", "d"), put("c", 1)],
        // Locks.
        [lock("c", true), put("c", 1)],
        [lock("c", true), lock("c", true)],
        [lock("c", true), lock("c", false)],
        [lock("c", false), lock("c", false)],
        [lock("d", true), lock("d", true)],
        [lock("d", true), put("d", 1)],
        [lock("d", true), mkcol("d")],
        [lock("a", true), put("a/b/c", 1)],
        [lock("a", true), lock("a/b/c", true)],
        [lock("a", true), relocate("c", "a/c")],
        [lock("a/b/c", true), delete("a")],
        [lock("a/b/c", true), relocate("a", "d")],
        [lock("b/c", true), copy("a", "b")],
        [lock("", true), put("c", 1)],
        [lock("", true), lock("c", true)],
        [lock("", true), lock("", true)],
        [lock("c", true), proppatch("c")],
        [lock("c", true), restore("c")],
        [lock("c", true), rename("c", "d")],
        [lock("c", true), upload("c")],
    ]
}

/// Pairs where somebody shares a lock on `c`.
fn delicate_pairs_under_a_lock() -> Vec<[Operation; 2]> {
    let (unlock, refresh) = (Operation::Unlock { path: None, nth: 0 }, Operation::Refresh { path: None, nth: 0 });
    vec![
        [unlock.clone(), put("c", 1)],
        [unlock.clone(), unlock.clone()],
        [unlock.clone(), refresh.clone()],
        [unlock.clone(), lock("c", true)],
        [unlock.clone(), delete("c")],
        [lock("c", false), put("c", 1)],
        [lock("c", false), delete("c")],
        [refresh, relocate("c", "d")],
    ]
}

/// Pairs where a chunk of Nextcloud's upload has come.
fn delicate_pairs_of_chunks() -> Vec<[Operation; 2]> {
    let within = [
        [finish("d"), finish("d")],
        [finish("d"), finish("e")],
        [finish("c"), abandon()],
        [finish("c"), chunk(2, 3)],
        [finish("c"), chunk(1, 3)],
        [chunk(1, 3), chunk(1, 4)],
        [chunk(2, 3), abandon()],
        [abandon(), abandon()],
        [begin(), abandon()],
    ];
    let without = [
        (finish("d"), put("d", 1)),
        (finish("d"), mkcol("d")),
        (finish("c"), put("c", 1)),
        (finish("c"), delete("c")),
        (finish("c"), relocate("c", "d")),
        (finish("c"), lock("c", true)),
        (finish("a/c"), delete("a")),
        (finish("a/c"), relocate("a", "d")),
        (finish("a/c"), lock("a", true)),
        (finish("a/b/c"), copy("a", "d")),
    ];
    mixed(&within, &without)
}

/// Pairs where an upload of TUS was begun, to be the file at the path.
fn delicate_pairs_of_tus(path: Path) -> Vec<[Operation; 2]> {
    match path {
        "d" => mixed(&[[patch(5), terminate()]], &[(patch(5), put("d", 1)), (patch(5), mkcol("d"))]),
        "c" => mixed(&[], &[(patch(5), put("c", 1)), (patch(5), delete("c")), (patch(5), lock("c", true))]),
        _ => mixed(&[], &[(patch(5), delete("a")), (patch(5), relocate("a", "d")), (patch(5), lock("a", true))]),
    }
}

fn mixed(within: &[[Pieces; 2]], without: &[(Pieces, Operation)]) -> Vec<[Operation; 2]> {
    let within = within.iter().map(|pair| pair.clone().map(pieces));
    within.chain(without.iter().map(|(first, second)| [pieces(first.clone()), second.clone()])).collect()
}

/// Pairs where there is a token that is confined to `a`.
fn delicate_pairs_of_a_token() -> Vec<[Operation; 2]> {
    vec![
        [write_by_token("b/c"), revoke()],
        [write_by_token("d"), revoke()],
        [write_by_token("b/c"), delete("a/b")],
        [write_by_token("b/c"), relocate("a/b", "d")],
        [write_by_token("b/c"), relocate("a", "d")],
        [write_by_token("b/d"), relocate("a/b", "b")],
        [write_by_token("b/c"), delete("a")],
        [write_by_token("d"), delete("a")],
        [write_by_token("d"), lock("a", true)],
        [revoke(), revoke()],
        [revoke(), make_token("a")],
        [make_token("a"), delete("a")],
        [make_token("a"), relocate("a", "b")],
        [by_token(begin()), revoke()],
        [by_token(create("d")), revoke()],
    ]
}

/// Pairs where a token that is confined to `a` has begun an upload of each kind.
fn delicate_pairs_of_a_token_that_uploads() -> Vec<[Operation; 2]> {
    vec![
        [by_token(chunk(2, 3)), revoke()],
        [by_token(finish("d")), revoke()],
        [by_token(abandon()), revoke()],
        [by_token(patch(3)), revoke()],
        [by_token(patch(5)), revoke()],
        [by_token(finish("b/d")), relocate("a/b", "d")],
        [by_token(finish("b/d")), delete("a/b")],
        [by_token(patch(5)), relocate("a/b", "d")],
    ]
}

#[test]
fn delicate_pairs_happen_one_after_the_other() {
    for operations in delicate_pairs() {
        check_all_orders(&[], &operations);
    }
    for operations in delicate_pairs_under_a_lock() {
        check_all_orders(&[lock("c", false)], &operations);
    }
}

#[test]
fn delicate_pairs_with_uploads_happen_one_after_the_other() {
    for operations in delicate_pairs_of_chunks() {
        check_all_orders(&[pieces(begin()), pieces(chunk(1, 5))], &operations);
    }
    let begun = [pieces(create("d"))];
    for operations in [[patch(5), patch(5)], [patch(3), patch(5)], [patch(5), patch(3)], [create("d"), patch(5)]] {
        check_interruptions(&begun, &operations.map(pieces));
    }
    for path in ["d", "c", "a/c"] {
        for operations in delicate_pairs_of_tus(path) {
            check_all_orders(&[pieces(create(path))], &operations);
        }
    }
}

#[test]
fn delicate_pairs_with_tokens_happen_one_after_the_other() {
    for operations in delicate_pairs_of_a_token() {
        check_all_orders(&[make_token("a")], &operations);
    }
    let uploads = [begin(), chunk(1, 5), create("b/d")].map(by_token);
    let before: Vec<_> = [make_token("a")].into_iter().chain(uploads).collect();
    for operations in delicate_pairs_of_a_token_that_uploads() {
        check_all_orders(&before, &operations);
    }
}

#[test]
fn a_late_piece_of_an_upload_undoes_no_edit() {
    let late = [pieces(patch(5))];
    let first = [pieces(patch(5)), put("d", 1)];
    let start = start(Settings::default(), &[pieces(create("d"))]);
    for mut schedule in Schedule::interruptions() {
        let ([first, second], pair) = run(&start, [&first, &late], &mut schedule);
        let statuses = (first[0].status, first[1].status, second[0].status);
        let present = pair.world.get("/dav/d").bytes().len();
        let is_right = match statuses {
            // The file is made before the edit, by the first or the second.
            (204, 204, 409) | (409, 204, 204) => present == 1,
            // By the second, after the edit, which made a file.
            (409, 201, 204) => present == 5,
            _ => false,
        };
        assert!(is_right, "{statuses:?} and {present} bytes in the order {schedule:?}");
    }
}

proptest! {
    #![proptest_config(fewer_cases())]

    #[test]
    fn any_two_operations_happen_one_after_the_other(
        before in vec(operation(), 0..4),
        first in operation(),
        second in operation(),
        choices in vec(any::<bool>(), 8),
        quota in prop_oneof![Just(None), Just(Some(1000))],
    ) {
        prop_assume!(!matches!((&first, &second), (Operation::Wait, _) | (_, Operation::Wait)));
        let settings = Settings { quota, ..Settings::default() };
        let operations = [first, second];
        let start = start(settings, &before);
        let serial = in_turn(&start, &operations);
        let mut schedule = Schedule { choices, made: 0 };
        let outcome = race(&start, &operations, &mut schedule);
        assert!(serial.contains(&outcome), "gave {outcome:#?}\nnot {serial:#?}");
    }
}
