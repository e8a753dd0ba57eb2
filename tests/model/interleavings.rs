//! Two operations at once. Each waits before every batch, and the other may go first: in all orders
//! for the pairs that are known to be delicate, in random ones for random pairs. What comes of it
//! is what comes of the one after the other, in one of the two orders.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use edgedrive::ports::{Batch, Databases, Ports, Sql, SqlError, Statement};
use edgedrive::runtime::native::{Native, NativeSql};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::invariants;
use crate::operation::{Condition, Data, Operation, Path, Tokens, copy, delete, lock, mkcol, proppatch, put, relocate};
use crate::pair::{Pair, Sight};
use crate::strategy::{fewer_cases, operation};
use crate::world::{Answer, Settings};

/// Waits before each batch, once it is told to.
#[derive(Clone)]
struct YieldingSql {
    sql: Rc<NativeSql>,
    yields: Rc<Cell<bool>>,
}

#[async_trait(?Send)]
impl Sql for YieldingSql {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Batch, SqlError> {
        let mut waits = self.yields.get();
        poll_fn(|_| if std::mem::take(&mut waits) { Poll::Pending } else { Poll::Ready(()) }).await;
        self.sql.batch(statements).await
    }
}

impl Databases for YieldingSql {
    fn shards(&self) -> Vec<Rc<dyn Sql>> {
        vec![self.directory()]
    }

    fn directory(&self) -> Rc<dyn Sql> {
        Rc::new(self.clone())
    }

    fn drive(&self, _account: i64) -> Rc<dyn Sql> {
        Rc::new(self.clone())
    }
}

/// Who goes on, whenever both could.
#[derive(Debug, Default, Clone)]
struct Schedule {
    /// Whether it is the second; the first, where nothing is said.
    choices: Vec<bool>,
    made: usize,
}

impl Schedule {
    fn second_goes(&mut self) -> bool {
        if self.made == self.choices.len() {
            self.choices.push(false);
        }
        self.made += 1;
        self.choices[self.made - 1]
    }

    /// The next of all schedules, given that this one was used up; none after the last.
    fn next(mut self) -> Option<Self> {
        while self.choices.pop()? {}
        self.choices.push(true);
        Some(Self { made: 0, ..self })
    }
}

/// What came of two operations.
#[derive(Debug, PartialEq)]
struct Outcome {
    statuses: [u16; 2],
    /// The names of the files that have the entity tags of the answers.
    tagged: [Vec<Json>; 2],
    sight: Sight,
}

/// Does both operations at once, on a fresh drive where `before` was done.
fn race(settings: Settings, before: &[Operation], operations: &[Operation; 2], schedule: &mut Schedule) -> Outcome {
    let yields = Rc::new(Cell::new(false));
    let databases = |native: &Native| Rc::new(YieldingSql { sql: native.sql.clone(), yields: yields.clone() });
    let mut pair = Pair::new(settings, |native| Ports { databases: databases(native), ..native.ports() });
    pair.prepare(before);
    // A token's use is recorded once an hour, by a task that must not wait: not in the race.
    pair.world.get("/api/v1/me");
    let [first, second] = operations.each_ref().map(|operation| operation.request(&pair.tree, &pair.world).unwrap());

    yields.set(true);
    let answers = interleave(pair.world.ask(first), pair.world.ask(second), schedule);
    yields.set(false);

    invariants::check(&pair.world, settings);
    for (answer, operation) in answers.iter().zip(operations) {
        assert!(!answer.is_failure(), "{operation:?}: {} {}", answer.status, answer.text());
    }
    Outcome {
        statuses: answers.each_ref().map(|answer| answer.status),
        tagged: answers.each_ref().map(|answer| tagged(&pair, answer)),
        sight: pair.sight(),
    }
}

fn interleave(
    first: impl Future<Output = Answer>,
    second: impl Future<Output = Answer>,
    schedule: &mut Schedule,
) -> [Answer; 2] {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let mut context = Context::from_waker(Waker::noop());
    // Up to their first batches, they do nothing that the other could see.
    let mut answers = (ready(first.as_mut().poll(&mut context)), ready(second.as_mut().poll(&mut context)));
    loop {
        let second_goes = match answers {
            (None, None) => schedule.second_goes(),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(first), Some(second)) => return [first, second],
        };
        if second_goes {
            answers.1 = ready(second.as_mut().poll(&mut context));
        } else {
            answers.0 = ready(first.as_mut().poll(&mut context));
        }
    }
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// The names of the files that have the entity tag of the answer.
fn tagged(pair: &Pair, answer: &Answer) -> Vec<Json> {
    let etag = answer.header("etag").trim_matches('"');
    pair.world.rows("SELECT name FROM nodes WHERE etag = ?1 AND content_id IS NOT NULL", [etag.into()])
}

/// Both orders of one after the other.
fn in_turn(settings: Settings, before: &[Operation], operations: &[Operation; 2]) -> [Outcome; 2] {
    [false, true].map(|second_first| {
        let mut schedule = Schedule { choices: vec![second_first; 100], made: 0 };
        race(settings, before, operations, &mut schedule)
    })
}

/// Tries all orders.
fn check_all_orders(before: &[Operation], operations: &[Operation; 2]) {
    let settings = Settings::default();
    let serial = in_turn(settings, before, operations);
    let mut next = Some(Schedule::default());
    while let Some(mut schedule) = next {
        let outcome = race(settings, before, operations, &mut schedule);
        assert!(
            serial.contains(&outcome),
            "{operations:#?} in the order {schedule:?}\ngave {outcome:#?}\nnot {serial:#?}"
        );
        next = schedule.next();
    }
}

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

#[test]
fn delicate_pairs_happen_one_after_the_other() {
    for operations in delicate_pairs() {
        check_all_orders(&[], &operations);
    }
    for operations in delicate_pairs_under_a_lock() {
        check_all_orders(&[lock("c", false)], &operations);
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
        let serial = in_turn(settings, &before, &operations);
        let mut schedule = Schedule { choices, made: 0 };
        let outcome = race(settings, &before, &operations, &mut schedule);
        assert!(serial.contains(&outcome), "gave {outcome:#?}\nnot {serial:#?}");
    }
}
