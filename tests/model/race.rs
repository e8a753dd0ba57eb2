//! Two operations at once. Each waits before every batch, and the other may go first. What comes of it is what comes of the
//! one after the other, in one of the two orders.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::iter;
use std::pin::pin;
use std::rc::Rc;
use std::slice;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use edgedrive::body::Body;
use edgedrive::ports::{Batch, Databases, Ports, Sql, SqlError, Statement};
use edgedrive::runtime::native::{Native, NativeSql};
use http::Request;
use serde_json::Value as Json;

use crate::bearers::{TokenUse, sign};
use crate::invariants;
use crate::operation::Operation;
use crate::pair::{Pair, Sight};
use crate::world::{Answer, Settings, World, request};

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
pub struct Schedule {
    /// Whether it is the second; the first, where nothing is said.
    pub choices: Vec<bool>,
    pub made: usize,
}

impl Schedule {
    fn second_goes(&mut self) -> bool {
        if self.made == self.choices.len() {
            self.choices.push(false);
        }
        self.made += 1;
        self.choices[self.made - 1]
    }

    /// The second does so many batches, then the first so many, then the second all that it has left.
    pub fn interruptions() -> impl Iterator<Item = Self> {
        let longest = 0..6;
        longest.clone().flat_map(move |begun| {
            longest.clone().map(move |between| Self {
                choices: iter::repeat_n(true, begun)
                    .chain(iter::repeat_n(false, between))
                    .chain(iter::repeat_n(true, 100))
                    .collect(),
                made: 0,
            })
        })
    }

    /// The next of all schedules, given that this one was used up; none after the last.
    pub fn next(mut self) -> Option<Self> {
        while self.choices.pop()? {}
        self.choices.push(true);
        Some(Self { made: 0, ..self })
    }
}

/// What came of two operations.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// The statuses of the answers.
    pub statuses: [u16; 2],
    /// The names of the files that have the entity tags of the answers.
    tagged: [Vec<Json>; 2],
    sight: Sight,
}

/// A drive where `before` was done, and on which two clients are about to ask at once.
pub fn start(settings: Settings, before: &[Operation]) -> Pair {
    let mut start = Pair::new(settings, Native::ports);
    start.prepare(before);
    // A token's use is recorded once an hour, by a task that must not wait: not in the race.
    for by in iter::once(None).chain((0..start.tree.tokens.len()).map(Some)) {
        let mut request = request("GET", "/api/v1/me").body(Body::empty()).unwrap();
        sign(&mut request, by, &start.tree);
        start.world.send(request);
    }
    start
}

/// Has each client do its operations in turn, both clients at once, on a copy of the drive. Gives their answers, and the
/// copy. Once the end of a token was answered, nothing changes by it.
pub fn run(start: &Pair, clients: [&[Operation]; 2], schedule: &mut Schedule) -> ([Vec<Answer>; 2], Pair) {
    let yields = Rc::new(Cell::new(false));
    let databases = |native: &Native| Rc::new(YieldingSql { sql: native.sql.clone(), yields: yields.clone() });
    let pair = start.copy(|native| Ports { databases: databases(native), ..native.ports() });
    let request = |operation: &Operation| operation.request(&pair.tree, &pair.world).unwrap();
    let requests = clients.map(|client| client.iter().map(request).collect::<Vec<_>>());
    let ends_token = |client: usize| {
        let [Operation::Token(TokenUse::Revoke { nth })] = clients[client] else { return false };
        let ended = Some(pair.tree.nth_bearer(*nth));
        clients[1 - client].iter().all(|operation| operation.bearer(&pair.tree) == ended)
    };
    let at_its_end = RefCell::new(None);
    yields.set(true);
    let [first, second] = requests.map(|requests| ask_in_turn(&pair.world, requests));
    let answers = interleave(first, second, schedule, |client, answers: &Vec<Answer>| {
        if ends_token(client) && answers[0].status == 204 {
            *at_its_end.borrow_mut() = Some(everything(&pair.world));
        }
    });
    yields.set(false);
    if let Some(at_its_end) = at_its_end.into_inner() {
        assert_eq!(everything(&pair.world), at_its_end, "{clients:?}: a token that was revoked has changed something");
    }
    invariants::check(&pair.world, pair.tree.settings);
    for answer in answers.iter().flatten() {
        assert!(!answer.is_failure(), "{clients:?}: {} {}", answer.status, answer.text());
    }
    (answers, pair)
}

async fn ask_in_turn(world: &World, requests: Vec<Request<Body>>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for request in requests {
        answers.push(world.ask(request).await);
    }
    answers
}

/// All rows of the database, but for the blobs that are known as garbage.
fn everything(world: &World) -> Vec<(Json, Vec<Json>)> {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'blob_garbage' ORDER BY name";
    let rows = |table: &Json| world.rows(format!("SELECT * FROM {}", table["name"].as_str().unwrap()), []);
    world.rows(tables, []).into_iter().map(|table| (table.clone(), rows(&table))).collect()
}

/// Does both operations at once, on a copy of the drive.
pub fn race(start: &Pair, operations: &[Operation; 2], schedule: &mut Schedule) -> Outcome {
    let [first, second] = operations;
    let (answers, pair) = run(start, [slice::from_ref(first), slice::from_ref(second)], schedule);
    Outcome {
        statuses: answers.each_ref().map(|answers| alike(answers[0].status, operations)),
        tagged: answers.each_ref().map(|answers| tagged(&pair, &answers[0])),
        sight: pair.sight(),
    }
}

/// Of uploads and tokens, what is gone may be told of in several ways.
fn alike(status: u16, operations: &[Operation; 2]) -> u16 {
    let is_any = operations.iter().any(|operation| matches!(operation, Operation::Pieces { .. } | Operation::Token(_)));
    if is_any && matches!(status, 401 | 403 | 409 | 410) { 404 } else { status }
}

/// Lets both go on in turn, and shows the answers of each to `seen` as soon as it has them.
fn interleave<T>(
    first: impl Future<Output = T>,
    second: impl Future<Output = T>,
    schedule: &mut Schedule,
    seen: impl Fn(usize, &T),
) -> [T; 2] {
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
        let answer = if second_goes { &mut answers.1 } else { &mut answers.0 };
        *answer =
            ready(if second_goes { second.as_mut().poll(&mut context) } else { first.as_mut().poll(&mut context) });
        if let Some(answer) = answer {
            seen(second_goes.into(), answer);
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
pub fn in_turn(start: &Pair, operations: &[Operation; 2]) -> [Outcome; 2] {
    [false, true].map(|second_first| {
        let mut schedule = Schedule { choices: vec![second_first; 100], made: 0 };
        race(start, operations, &mut schedule)
    })
}

/// Tries all orders.
pub fn check_all_orders(before: &[Operation], operations: &[Operation; 2]) {
    let mut schedule = Some(Schedule::default());
    check_orders(before, operations, |done| {
        schedule = if let Some(done) = done { done.next() } else { schedule.take() };
        schedule.clone()
    });
}

/// Tries the orders in which the second is interrupted once by the first, wherever and for however long: all orders of two
/// that ask many times would be too many.
pub fn check_interruptions(before: &[Operation], operations: &[Operation; 2]) {
    let mut schedules = Schedule::interruptions();
    check_orders(before, operations, |_| schedules.next());
}

fn check_orders(
    before: &[Operation],
    operations: &[Operation; 2],
    mut next: impl FnMut(Option<Schedule>) -> Option<Schedule>,
) {
    let start = start(Settings::default(), before);
    let serial = in_turn(&start, operations);
    let mut scheduled = next(None);
    while let Some(mut schedule) = scheduled {
        let outcome = race(&start, operations, &mut schedule);
        assert!(
            serial.contains(&outcome),
            "{operations:#?} in the order {schedule:?}\ngave {outcome:#?}\nnot {serial:#?}"
        );
        scheduled = next(Some(schedule));
    }
}
