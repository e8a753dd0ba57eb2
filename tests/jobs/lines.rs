//! Lines of jobs: however many wait in one, the others are served, and a failure costs no more.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use async_trait::async_trait;
use edgedrive::body::Body;
use edgedrive::ports::{Batch, Clock, Databases, Ports, Sql, SqlError, Statement};
use edgedrive::store::{Job, Jobs};
use serde_json::{Value as Json, json};

use crate::world::{BY_JOB, HOUR, SCANNER, Scanner, World};

const MANY: usize = 1_000;

/// A database that counts the rows that change.
struct Counting {
    sql: Rc<dyn Sql>,
    changed: Cell<i64>,
}

#[async_trait(?Send)]
impl Sql for Counting {
    async fn batch(&self, mut statements: Vec<Statement>) -> Result<Batch, SqlError> {
        let count = || Statement::read("SELECT total_changes() AS changes", []);
        statements.insert(0, count());
        statements.push(count());
        let mut batch = self.sql.batch(statements).await?;
        let changes = |rows: &edgedrive::ports::Rows| rows.parse::<Json>().unwrap()[0]["changes"].as_i64().unwrap();
        let (first, last) = (batch.results.remove(0), batch.results.pop().unwrap());
        self.changed.set(self.changed.get() + changes(&last) - changes(&first));
        Ok(batch)
    }
}

struct OneOf(Rc<Counting>);

impl Databases for OneOf {
    fn directory(&self) -> Rc<dyn Sql> {
        self.0.clone()
    }

    fn drive(&self, _: i64) -> Rc<dyn Sql> {
        self.0.clone()
    }

    fn shards(&self) -> Vec<Rc<dyn Sql>> {
        vec![self.0.clone()]
    }
}

fn jobs_of(world: &World) -> Jobs {
    Jobs::all(&world.native.ports(), &Rc::default()).remove(0)
}

/// How many of each kind and subject were leased.
fn kinds(jobs: &[Job]) -> BTreeMap<(String, i64), usize> {
    let mut kinds = BTreeMap::new();
    for job in jobs {
        *kinds.entry((job.kind.clone(), job.subject)).or_default() += 1;
    }
    kinds
}

/// A drive of which the one webhook is to be told of so many files.
async fn with_events(count: usize) -> World {
    let world = World::with_webhook(&[]).await;
    for number in 0..count {
        assert_eq!(world.put(&format!("f{number}"), "1").await, 201);
    }
    world
}

/// Has a content scanned, another one read for its digests, and a second webhook told of something.
async fn cause_others(world: World) -> World {
    let world = world.restarted(&[SCANNER, BY_JOB]);
    assert_eq!(world.put("to-scan", "1").await, 201);
    assert_eq!(world.send("MKCOL", "/remote.php/dav/uploads/me/u", Body::empty()).await.0, 201);
    assert_eq!(world.send("PUT", "/remote.php/dav/uploads/me/u/1", Body::from("1".to_owned())).await.0, 201);
    assert_eq!(
        world.transfer("MOVE", "/remote.php/dav/uploads/me/u/.file", "/remote.php/dav/files/me/to-read").await,
        201
    );
    let hook = json!({ "url": "https://hooks.example.org/second" });
    let hook = world.ask("POST", "/api/v1/webhooks", &hook).await.1;
    let test = format!("/api/v1/webhooks/{}/test", hook["webhook"]["id"].as_str().unwrap());
    assert_eq!(world.ask("POST", &test, &Json::Null).await.0, 202);
    world
}

#[tokio::test]
async fn a_thousand_events_of_a_slow_receiver_hold_nobody_up() {
    let world = with_events(MANY).await;
    world.native.clock.advance(60_000);
    let jobs = jobs_of(&world);
    let slow = jobs.lease(12).await.unwrap();
    assert_eq!(kinds(&slow), BTreeMap::from([(("webhook".to_owned(), 1), 4)]));
    let world = cause_others(world).await;
    world.native.clock.advance(1_000);
    let others = kinds(&jobs.lease(8).await.unwrap());
    let expected = [("digest", 0), ("scan", 0), ("webhook", 2)].map(|(kind, subject)| (kind.to_owned(), subject));
    assert!(expected.iter().all(|line| others.contains_key(line)), "{others:?}");
    assert!(!others.contains_key(&("webhook".to_owned(), 1)), "{others:?}");

    for job in slow {
        jobs.finish(&job, Vec::new()).await.unwrap();
    }
    let next = kinds(&jobs.lease(12).await.unwrap());
    assert_eq!(next[&("webhook".to_owned(), 1)], 4, "those that have waited longest go on");
}

#[tokio::test]
async fn of_a_receiver_that_fails_one_job_is_tried_and_the_others_wait_behind_it() {
    let world = with_events(MANY).await;
    world.internet.refused.replace(vec!["*"]);
    world.app.run_jobs().await;
    let tried = world.internet.told().len();
    assert!((1..=4).contains(&tried), "{tried} at once");
    let jobs = jobs_of(&world);
    let world = cause_others(world).await;
    let others = kinds(&jobs.lease(12).await.unwrap());
    assert!(!others.contains_key(&("webhook".to_owned(), 1)), "{others:?}");
    assert!(["digest", "scan"].iter().all(|kind| others.contains_key(&((*kind).to_owned(), 0))), "{others:?}");
    assert!(others.contains_key(&("webhook".to_owned(), 2)), "{others:?}");
    assert!(jobs.next_due().await.unwrap() > Some(world.native.clock.now()), "nothing more is due");

    world.native.clock.advance(5_000);
    let again = jobs.lease(12).await.unwrap();
    assert_eq!(kinds(&again), BTreeMap::from([(("webhook".to_owned(), 1), 1)]));
    assert_eq!(again[0].tries, 1, "one that has not been tried comes first");
    assert!(jobs.lease(12).await.unwrap().is_empty(), "one at a time");
}

#[tokio::test]
async fn many_slow_receivers_of_one_account_leave_room_for_another() {
    let world = World::new(&[]).await;
    for number in 0..20 {
        let hook = json!({ "url": format!("https://hooks.example.org/{number}") });
        assert_eq!(world.ask("POST", "/api/v1/webhooks", &hook).await.0, 201);
    }
    for number in 0..20 {
        assert_eq!(world.put(&format!("f{number}"), "1").await, 201);
    }
    world.native.clock.advance(1_000);
    let jobs = jobs_of(&world);
    let slow = jobs.lease(12).await.unwrap();
    assert_eq!(slow.len(), 12);
    let neighbour = world.neighbour().await;
    let hook = json!({ "url": "https://hooks.example.org/neighbour" });
    assert_eq!(neighbour.ask("POST", "/api/v1/webhooks", &hook).await.0, 201);
    assert_eq!(neighbour.put("f", "1").await, 201);
    jobs.finish(&slow[0], Vec::new()).await.unwrap();
    let next = jobs.lease(1).await.unwrap();
    assert_eq!((next[0].account_id, next[0].kind.as_str()), (2, "webhook"), "the place that is free first");
}

/// Rows that change while the jobs run once, of which one is tried and fails.
async fn changed_by_a_failure(world: &World) -> i64 {
    let counting = Rc::new(Counting { sql: world.native.sql.clone(), changed: Cell::default() });
    let ports = Ports { databases: Rc::new(OneOf(counting.clone())), ..world.native.ports() };
    world.native.clock.advance(10_000);
    let summary = world.with_ports(ports, &[SCANNER, BY_JOB]).run_jobs().await;
    assert_eq!((summary.done, summary.failed), (0, 1));
    counting.changed.get()
}

#[tokio::test]
async fn a_failure_writes_as_much_however_many_wait() {
    let mut changed = Vec::new();
    for count in [10, MANY] {
        let world = with_events(count).await;
        world.internet.refused.replace(vec!["*"]);
        world.app.run_jobs().await;
        changed.push(changed_by_a_failure(&world).await);
    }
    assert_eq!(changed[0], changed[1]);
    assert!(changed[0] <= 10, "{changed:?} rows");
}

#[tokio::test]
async fn a_scanner_that_is_away_costs_as_much_however_many_wait() {
    let mut changed = Vec::new();
    for count in [10, MANY] {
        let world = World::new(&[SCANNER, BY_JOB]).await;
        world.internet.scanner.set(Scanner::Away);
        for number in 0..count {
            assert_eq!(world.put(&format!("f{number}"), "1").await, 201);
        }
        world.app.run_jobs().await;
        changed.push(changed_by_a_failure(&world).await);
    }
    assert_eq!(changed[0], changed[1]);
    assert!(changed[0] <= 10, "{changed:?} rows");
}

#[tokio::test]
async fn what_has_waited_for_a_receiver_is_told_when_it_is_back() {
    let world = with_events(50).await;
    world.internet.refused.replace(vec!["*"]);
    world.pass(HOUR).await;
    world.internet.told();
    world.internet.refused.replace(Vec::new());
    world.pass(HOUR).await;
    assert_eq!(world.internet.told().len(), 50);
}

#[tokio::test]
async fn a_job_that_is_retried_comes_before_those_that_wait() {
    let world = with_events(50).await;
    world.internet.refused.replace(vec!["*"]);
    world.pass(60_000).await;
    let waiting = world.jobs("ready").await;
    let last = waiting.last().unwrap()["id"].as_str().unwrap();
    assert_eq!(world.ask("POST", &format!("/api/v1/admin/jobs/{last}/retry"), &Json::Null).await.0, 204);
    let leased = jobs_of(&world).lease(12).await.unwrap();
    assert_eq!(leased.iter().map(|job| job.id.to_string()).collect::<Vec<_>>(), [last]);
}
