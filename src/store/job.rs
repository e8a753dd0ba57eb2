//! The outbox's other side: leasing jobs that are due, and what becomes of them.

use std::rc::Rc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Database, Meter};
use crate::error::{Error, Result};
use crate::ports::{Millis, Ports, Rows, Sql, Statement, Value};

/// How long a job may take before somebody else does it, unless its lease is renewed.
const LEASE: Millis = 30_000;

/// How often a job is tried before it is given up for a person to look at.
const MOST_TRIES: i64 = 25;

/// Pauses between attempts: doubled each time, from the first to the longest.
pub(super) const FIRST_PAUSE: Millis = 5_000;
const LONGEST_PAUSE: Millis = 3_600_000;

/// Jobs of one subject that are leased at once, so that one slow receiver does not hold up the others; of one that fails,
/// it is one. Due jobs that are looked at for that.
const AT_ONCE_OF_A_SUBJECT: i64 = 4;
const LOOKED_AT: i64 = 200;

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
    /// Jobs that are due or will be.
    pub ready: i64,
    /// Jobs that were given up.
    pub dead: i64,
    /// When the oldest of the former was made.
    pub oldest: Option<Millis>,
    /// When the first of them was due, or will be.
    pub due: Option<Millis>,
    /// Jobs that somebody does just now.
    pub leased: i64,
}

#[derive(Deserialize)]
struct DueRow {
    due_at: Option<Millis>,
}

impl Jobs {
    /// The jobs in each database of the deployment.
    pub fn all(ports: &Ports, meter: &Rc<Meter>) -> Vec<Self> {
        let open =
            |sql: Rc<dyn Sql>| Self { database: Database { sql, meter: Rc::clone(meter) }, ports: ports.clone() };
        ports.databases.shards().into_iter().map(open).collect()
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    pub(super) fn now(&self) -> Millis {
        self.ports.clock.now()
    }

    /// Leases up to `limit` jobs that are due, not many of one subject. One round trip.
    pub async fn lease(&self, limit: i64) -> Result<Vec<Job>> {
        let now = self.now();
        let given_up = Statement::write(
            "UPDATE jobs SET state = 'dead', lease = NULL, error = coalesce(error, 'it never came to an end') \
             WHERE state = 'ready' AND due_at <= ?1 AND tries >= ?2",
            [now.into(), MOST_TRIES.into()],
        );
        let lease = Statement::write(
            "UPDATE jobs SET lease = ?1, due_at = ?2, tries = tries + 1 WHERE id IN ( \
               WITH failing(kind, subject) AS MATERIALIZED ( \
                 SELECT 'webhook', id FROM webhooks WHERE failing_since IS NOT NULL \
                 UNION ALL SELECT 'scan', value FROM scanner CROSS JOIN json_each('[0, 1]')), \
               leased(kind, subject, n) AS MATERIALIZED ( \
                 SELECT kind, subject, count(*) FROM jobs WHERE lease IS NOT NULL AND due_at > ?3 AND state = 'ready' \
                 GROUP BY kind, subject), \
               due(id, due_at, kind, subject, nth) AS ( \
                 SELECT id, due_at, kind, subject, row_number() OVER (PARTITION BY kind, subject ORDER BY due_at, id) \
                 FROM (SELECT id, kind, subject, due_at FROM jobs WHERE state = 'ready' AND due_at <= ?3 \
                   ORDER BY due_at LIMIT ?4)) \
               SELECT d.id FROM due d LEFT JOIN leased l ON l.kind = d.kind AND l.subject = d.subject \
               WHERE d.nth + coalesce(l.n, 0) <= CASE WHEN (d.kind, d.subject) IN failing THEN 1 ELSE ?5 END \
               ORDER BY d.due_at, d.id LIMIT ?6) \
             RETURNING id, account_id, kind, subject, payload, tries, lease",
            [
                self.ports.random_hex(8).into(),
                (now + LEASE).into(),
                now.into(),
                LOOKED_AT.into(),
                AT_ONCE_OF_A_SUBJECT.into(),
                limit.into(),
            ],
        );
        let results = self.database.batch(vec![given_up, lease]).await?;
        let mut jobs: Vec<Job> = results.get(1).map(Rows::parse).transpose()?.unwrap_or_default();
        jobs.sort_by_key(|job| job.id);
        Ok(jobs)
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

    /// Has a job tried again soon, as if this attempt had not been, and what else is to be recorded. The other jobs of the
    /// subject wait, too. One round trip.
    pub async fn put_off(&self, job: &Job, why: Option<&str>, also: Vec<Statement>) -> Result<()> {
        let later = Statement::write(
            "UPDATE jobs SET lease = NULL, tries = tries - 1, error = ?2, due_at = ?3 WHERE id = ?1",
            [job.id.into(), why.into(), (self.now() + FIRST_PAUSE).into()],
        );
        self.record(job, [later, self.hold_others(job)].into_iter().chain(also)).await
    }

    /// When the next job is due; none where there is none. One round trip.
    pub async fn next_due(&self) -> Result<Option<Millis>> {
        let statement = Statement::read("SELECT min(due_at) AS due_at FROM jobs WHERE state = 'ready'", []);
        let results = self.database.batch(vec![statement]).await?;
        let row: Option<DueRow> = results.first().map(Rows::first).transpose()?.flatten();
        Ok(row.and_then(|row| row.due_at))
    }

    /// Records that an attempt failed, and what else is to be recorded. After many attempts, the job is given up. The
    /// other jobs of the subject wait a little: they may fare better, and come first. One round trip.
    pub async fn fail(&self, job: &Job, error: &str, also: Vec<Statement>) -> Result<()> {
        let due_at: Value = (self.now() + self.pause(job.tries)).into();
        let failed = Statement::write(
            "UPDATE jobs SET lease = NULL, error = ?2, due_at = ?3, \
               state = CASE WHEN tries >= ?4 THEN 'dead' ELSE 'ready' END WHERE id = ?1",
            [job.id.into(), error.into(), due_at, MOST_TRIES.into()],
        );
        self.record(job, [failed, self.hold_others(job)].into_iter().chain(also)).await
    }

    /// Has the other jobs of the subject wait a little, too.
    fn hold_others(&self, job: &Job) -> Statement {
        Statement::write(
            "UPDATE jobs SET due_at = max(due_at, ?3) \
             WHERE kind = ?1 AND subject = ?2 AND state = 'ready' AND lease IS NULL",
            [job.kind.as_str().into(), job.subject.into(), (self.now() + FIRST_PAUSE).into()],
        )
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
        let statement = Statement::read(
            "SELECT count(*) FILTER (WHERE state = 'ready') AS ready, count(*) FILTER (WHERE state = 'dead') AS dead, \
             min(created_at) FILTER (WHERE state = 'ready') AS oldest, \
             min(due_at) FILTER (WHERE state = 'ready') AS due, \
             count(*) FILTER (WHERE state = 'ready' AND lease IS NOT NULL AND due_at > ?1) AS leased FROM jobs",
            [self.now().into()],
        );
        let results = self.database.batch(vec![statement]).await?;
        Ok(results.first().map(Rows::first).transpose()?.flatten().unwrap_or_default())
    }

    /// Up to 1,000 jobs in that state, or in any, the oldest first. One round trip.
    pub async fn list(&self, state: Option<&str>) -> Result<Vec<JobInfo>> {
        let statement = Statement::read(
            "SELECT id, account_id, kind, state, tries, due_at, created_at, error FROM jobs \
             WHERE ?1 IS NULL OR state = ?1 ORDER BY id LIMIT 1000",
            [state.into()],
        );
        let results = self.database.batch(vec![statement]).await?;
        Ok(results.first().map(Rows::parse).transpose()?.unwrap_or_default())
    }

    /// Has a job tried again now, as if for the first time; one that is under way is left alone. 404 where there is none.
    pub async fn retry(&self, id: i64) -> Result<()> {
        let due = "UPDATE jobs SET state = 'ready', tries = 0, \
                     due_at = CASE WHEN lease IS NOT NULL AND due_at > ?2 THEN due_at ELSE ?2 END WHERE id = ?1 RETURNING id";
        self.one(vec![Statement::write(due, [id.into(), self.now().into()])]).await
    }

    /// Throws a job away. A content that was to be scanned is left without a verdict. 404 where there is none.
    pub async fn discard(&self, id: i64) -> Result<()> {
        let unscanned = Statement::write(
            "UPDATE contents SET av = 'error' \
             WHERE av = 'pending' AND id = (SELECT payload FROM jobs WHERE id = ?1 AND kind = 'scan')",
            [id.into()],
        );
        let discarded = Statement::write("DELETE FROM jobs WHERE id = ?1 RETURNING id", [id.into()]);
        self.one(vec![unscanned, discarded]).await
    }

    /// Runs statements, the last of which gives a row if there is such a job.
    async fn one(&self, statements: Vec<Statement>) -> Result<()> {
        let results = self.database.batch(statements).await?;
        let row: Option<IgnoredAny> = results.last().map(Rows::first).transpose()?.flatten();
        row.map(|_| ()).ok_or(Error::NotFound("the job"))
    }
}
