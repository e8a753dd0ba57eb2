//! Every operation against every lock: on the resource, above it, below it, beside it. Random
//! sequences seldom meet all of these.

use edgedrive::runtime::native::Native;

use crate::listing::list;
use crate::operation::{Condition, Data, Operation, Path, Tokens};
use crate::pair::Pair;
use crate::world::Settings;

/// Where locks are taken, in what the fixture holds.
const PATHS: [Path; 5] = ["", "a", "a/b", "a/b/c", "b/c"];

/// Operations in `a` and `b`, which have folders and files above, below and beside them.
fn operations(tokens: Tokens) -> Vec<Operation> {
    let (data, condition, overwrite, deep) = (Data { length: 7, byte: b'7' }, Condition::None, true, true);
    let lock = |path, exclusive, infinite| Operation::Lock { path, exclusive, infinite, tokens };
    let submitting = vec![
        Operation::Put { path: "a/b/c", data, sized: true, condition, tokens },
        Operation::Put { path: "a/b/d", data, sized: true, condition, tokens },
        Operation::Mkcol { path: "a/d", tokens },
        Operation::Delete { path: "a", condition, tokens },
        Operation::Delete { path: "a/b/c", condition, tokens },
        Operation::Copy { from: "c", to: "a/b", overwrite, deep, tokens },
        Operation::Copy { from: "c", to: "a/b/c", overwrite, deep, tokens },
        Operation::Copy { from: "a", to: "b", overwrite, deep, tokens },
        Operation::Move { from: "a/b", to: "b", overwrite, tokens },
        Operation::Move { from: "a/b/c", to: "b/c", overwrite, tokens },
        Operation::Move { from: "b", to: "a/d", overwrite, tokens },
        Operation::Proppatch { path: "a/b", name: "p", value: Some(1), tokens },
        lock("a/b", true, true),
        lock("a/b", false, true),
        lock("a/b", true, false),
        lock("a/b", false, false),
        lock("a/d", true, false),
    ];
    // REST knows no tokens.
    let plain = [
        Operation::Upload { path: "a/b/c", data },
        Operation::Upload { path: "a/b/d", data },
        Operation::Rename { path: "a/b", to: "b/d" },
        Operation::Remove { path: "a" },
        Operation::Restore { path: "a/b/c", nth: 0 },
    ];
    submitting.into_iter().chain(plain.into_iter().filter(|_| tokens == Tokens::None)).collect()
}

#[test]
fn every_operation_heeds_every_lock() {
    for path in PATHS {
        for (exclusive, infinite) in [(true, true), (true, false), (false, true), (false, false)] {
            let lock = Operation::Lock { path, exclusive, infinite, tokens: Tokens::None };
            let mut locked = Pair::new(Settings::default(), Native::ports);
            locked.prepare(std::slice::from_ref(&lock));
            let mut pair = locked.copy(Native::ports);
            for operation in [Tokens::None, Tokens::All].into_iter().flat_map(operations) {
                let done = pair.perform(&operation);
                assert_eq!(list(&pair.world).entries, pair.tree.entries(), "{operation:?} under {lock:?}");
                if done {
                    pair = locked.copy(Native::ports);
                }
            }
        }
    }
}
