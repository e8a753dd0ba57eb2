//! The outbox's other side: leasing jobs that are due, and what becomes of them.

use std::rc::Rc;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ports::{Millis, Ports, Sql, Statement, Value};
use crate::store::ground::database::{Database, Meter};

/// How long a job may take before somebody else does it, unless its lease is renewed.
pub(super) const LEASE: Millis = 30_000;

/// How often a job is tried before it is given up for a person to look at.
const MOST_TRIES: i64 = 25;

/// Pauses between attempts: doubled each time, from the first to the longest.
pub(in crate::store) const FIRST_PAUSE: Millis = 5_000;
const LONGEST_PAUSE: Millis = 3_600_000;

/// Nobody needs to know of more exactly.
const MOST_COUNTED: i64 = 10_000;

/// The jobs in one database.
#[derive(Clone)]
pub struct Jobs {
    database: Database,
    ports: Ports,
}

/// A job that is leased.
#[derive(Debug, Clone, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub account_id: i64,
    /// What is to be done.
    pub kind: String,
    /// What it is about.
    pub subject: i64,
    /// JSON, by its kind.
    pub payload: String,
    /// Attempts, this one included.
    pub tries: i64,
    lease: String,
}

/// A job as the administrator sees it.
#[derive(Debug, Clone, Deserialize)]
pub struct JobInfo {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub account_id: i64,
    /// What is to be done.
    pub kind: String,
    /// `ready` or `dead`.
    pub state: String,
    /// Attempts so far.
    pub tries: i64,
    /// When it is tried next, or when its lease ends.
    pub due_at: Millis,
    /// When it was made.
    pub created_at: Millis,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Backlog {
    /// Jobs that are due or will be; counted up to 10,000.
    pub ready: i64,
    /// Jobs that were given up; likewise.
    pub dead: i64,
    /// When the oldest of the former was made.
    pub oldest: Option<Millis>,
    /// When the first of them was due, or will be, that there is a place for.
    #[serde(default)]
    pub due: Option<Millis>,
    /// Jobs that somebody does just now.
    pub leased: i64,
}

#[derive(Deserialize)]
pub(super) struct DueRow {
    pub(super) due_at: Option<Millis>,
}

impl Jobs {
    /// The jobs in each database of the deployment.
    pub fn all(ports: &Ports, meter: &Rc<Meter>) -> Vec<Self> {
        let open =
            |sql: Rc<dyn Sql>| Self { database: Database { sql, meter: Rc::clone(meter) }, ports: ports.clone() };
        ports.databases.shards().into_iter().map(open).collect()
    }

    pub(in crate::store) fn database(&self) -> &Database {
        &self.database
    }

    pub(in crate::store) fn now(&self) -> Millis {
        self.ports.clock.now()
    }

    pub(super) fn random_lease(&self) -> String {
        self.ports.random_hex(8)
    }

    /// Gives up those whose last attempt never came to an end: each still has its lease.
    pub(super) fn give_up(&self) -> Statement {
        Statement::write(
            "UPDATE jobs SET state = 'dead', lease = NULL, error = coalesce(error, 'it never came to an end') \
             WHERE lease IS NOT NULL AND +state = 'ready' AND due_at <= ?1 AND tries >= ?2",
            [self.now().into(), MOST_TRIES.into()],
        )
    }

    /// Records that a job is done, and what else is to be recorded. One round trip.
    pub async fn finish(&self, job: &Job, also: Vec<Statement>) -> Result<()> {
        let done = Statement::write("DELETE FROM jobs WHERE id = ?1", [job.id.into()]);
        self.record(job, [done].into_iter().chain(also)).await
    }

    /// Records the outcome of an attempt, unless the job is no longer leased to this runner, which was too slow: then
    /// the outcome counts for nothing. One round trip.
    async fn record(&self, job: &Job, outcome: impl IntoIterator<Item = Statement>) -> Result<()> {
        let guard = Statement::write(
            "INSERT INTO guard SELECT 'gone' WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND lease = ?2)",
            [job.id.into(), job.lease.as_str().into()],
        );
        match self.database.batch([guard].into_iter().chain(outcome).collect()).await {
            Err(Error::Raced(_)) => {
                log::warn!("job {} ({}): somebody else has it now", job.id, job.kind);
                Ok(())
            }
            outcome => outcome.map(|_| ()),
        }
    }

    /// Has a leased job done by nobody else for longer; it may be someone else's already. One round trip.
    pub async fn renew(&self, job: &Job) -> Result<()> {
        let renew = Statement::write(
            "UPDATE jobs SET due_at = ?3 WHERE id = ?1 AND lease = ?2",
            [job.id.into(), job.lease.as_str().into(), (self.now() + LEASE).into()],
        );
        self.database.batch(vec![renew]).await.map(|_| ())
    }

    /// Records a step of a job, of which more are to come: what is left, and what else is to be recorded. One round trip.
    pub async fn go_on(&self, job: &Job, payload: String, also: Vec<Statement>) -> Result<()> {
        let rest = Statement::write(
            "UPDATE jobs SET lease = NULL, tries = 0, error = NULL, due_at = ?2, payload = ?3 WHERE id = ?1",
            [job.id.into(), self.now().into(), payload.into()],
        );
        self.record(job, [rest].into_iter().chain(also)).await
    }

    /// Has a job tried again soon, as if this attempt had not been, and what else is to be recorded. One round
    /// trip.
    pub async fn put_off(&self, job: &Job, why: Option<&str>, also: Vec<Statement>) -> Result<()> {
        let later = Statement::write(
            "UPDATE jobs SET lease = NULL, tries = tries - 1, error = ?2, due_at = ?3 WHERE id = ?1",
            [job.id.into(), why.into(), (self.now() + FIRST_PAUSE).into()],
        );
        self.record(job, [later].into_iter().chain(also)).await
    }

    /// Records that an attempt failed, and what else is to be recorded. After many attempts, the job is given up. It
    /// comes after the others of its line: they may fare better. One round trip.
    pub async fn fail(&self, job: &Job, error: &str, also: Vec<Statement>) -> Result<()> {
        let due_at: Value = (self.now() + self.pause(job.tries)).into();
        let failed = Statement::write(
            "UPDATE jobs SET lease = NULL, error = ?2, due_at = ?3, \
               state = CASE WHEN tries >= ?4 THEN 'dead' ELSE 'ready' END WHERE id = ?1",
            [job.id.into(), error.into(), due_at, MOST_TRIES.into()],
        );
        self.record(job, [failed].into_iter().chain(also)).await
    }

    /// The pause before the next attempt, give or take a quarter.
    fn pause(&self, tries: i64) -> Millis {
        let doublings = u32::try_from(tries - 1).unwrap_or_default().min(20);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        let mut random = [0; 1];
        self.ports.random.fill(&mut random);
        pause * 3 / 4 + pause / 2 * Millis::from(random[0]) / 255
    }

    /// How much there is to do. One round trip.
    pub async fn backlog(&self) -> Result<Backlog> {
        let counts = Statement::read(
            "SELECT (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'ready' LIMIT ?2)) AS ready, \
             (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'dead' LIMIT ?2)) AS dead, \
             (SELECT created_at FROM jobs WHERE state = 'ready' ORDER BY id LIMIT 1) AS oldest, \
             (SELECT count(*) FROM jobs WHERE lease IS NOT NULL AND +state = 'ready' AND due_at > ?1) AS leased",
            [self.now().into(), MOST_COUNTED.into()],
        );
        let results = self.database.batch(vec![counts, self.next_due_statement()]).await?;
        let counted: Option<Backlog> = results.one(0)?;
        let next: Option<DueRow> = results.one(1)?;
        Ok(Backlog { due: next.and_then(|row| row.due_at), ..counted.unwrap_or_default() })
    }

    /// Up to 1,000 jobs in that state, or in any, the oldest first. One round trip.
    pub async fn list(&self, state: Option<&str>) -> Result<Vec<JobInfo>> {
        let statement = Statement::read(
            "SELECT id, account_id, kind, state, tries, due_at, created_at, error FROM jobs \
             WHERE ?1 IS NULL OR state = ?1 ORDER BY id LIMIT 1000",
            [state.into()],
        );
        let results = self.database.batch(vec![statement]).await?;
        results.all(0)
    }

    /// Has a job tried again now, as if for the first time, and before the others of its line; one that is under way is left
    /// alone. Whether there is one.
    pub async fn retry(&self, id: i64) -> Result<bool> {
        let line = |table: &str, which: &str| {
            Statement::write(
                format!("UPDATE {table} SET not_before = 0 WHERE {which} AND failing_since IS NOT NULL"),
                [id.into()],
            )
        };
        let webhook = line("webhooks", "id = (SELECT subject FROM jobs WHERE id = ?1 AND kind = 'webhook')");
        let scanner = line("scanner", "EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND kind = 'scan')");
        let due = Statement::write(
            "UPDATE jobs SET state = 'ready', tries = 0, \
               due_at = CASE WHEN lease IS NOT NULL AND due_at > ?2 THEN due_at \
                 ELSE min(?2, coalesce((SELECT min(o.due_at) - 1 FROM jobs o \
                   WHERE o.state = 'ready' AND o.kind = jobs.kind AND o.subject = jobs.subject), ?2)) END \
             WHERE id = ?1 RETURNING id",
            [id.into(), self.now().into()],
        );
        self.one(vec![webhook, scanner, due]).await
    }

    /// Throws a job away. A content that was to be scanned is left without a verdict. Whether there was one.
    pub async fn discard(&self, id: i64) -> Result<bool> {
        let unscanned = Statement::write(
            "UPDATE contents SET av = 'error' \
             WHERE av = 'pending' AND id = (SELECT payload FROM jobs WHERE id = ?1 AND kind = 'scan')",
            [id.into()],
        );
        let discarded = Statement::write("DELETE FROM jobs WHERE id = ?1 RETURNING id", [id.into()]);
        self.one(vec![unscanned, discarded]).await
    }

    /// Runs statements, the last of which gives a row if there is such a job.
    async fn one(&self, statements: Vec<Statement>) -> Result<bool> {
        let results = self.database.batch(statements).await?;
        Ok(results.last().is_some_and(|rows| !rows.is_empty()))
    }
}
