//! Webhooks and the record of their deliveries.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::event::EventKind;
use super::job::{FIRST_PAUSE, Job, Jobs};
use crate::error::{Error, Result};
use crate::ports::{Millis, Statement, Value};
use crate::store::door::closing::Touched;
use crate::store::door::drive::Drive;
use crate::store::door::view::View;

/// Deliveries of a webhook that are kept.
const DELIVERIES_KEPT: i64 = 500;

/// How long a webhook may fail before it is switched off.
const MOST_FAILING: Millis = 24 * 3_600_000;

/// Webhooks that an account may have.
const MOST: i64 = 100;

const WEBHOOK: &str = "id, account_id, url, secret, events, folder_id, enabled, failing_since, disabled_reason, \
                       created_at";

/// A webhook.
#[derive(Debug, Clone, Deserialize)]
pub struct Webhook {
    /// Its number.
    pub id: i64,
    /// Whose it is.
    pub account_id: i64,
    /// Where events are sent.
    pub url: String,
    /// The sealed secret.
    pub secret: String,
    /// Names of events with spaces between them.
    pub events: String,
    /// The folder that it is about; none for the whole drive.
    pub folder_id: Option<i64>,
    enabled: i64,
    /// Since when no delivery has succeeded.
    pub failing_since: Option<Millis>,
    /// Why it was switched off.
    pub disabled_reason: Option<String>,
    /// When it was made.
    pub created_at: Millis,
}

impl Webhook {
    /// Whether it is told of events.
    pub fn is_enabled(&self) -> bool {
        self.enabled != 0
    }
}

/// What a webhook is to be.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where events are sent.
    pub url: String,
    /// The sealed secret.
    pub secret: String,
    /// The events it is told of.
    pub events: Vec<EventKind>,
    /// The folder that it is about.
    pub folder_id: Option<i64>,
    /// Whether it is told of events.
    pub enabled: bool,
}

/// One attempt to tell a webhook.
#[derive(Debug, Clone, Deserialize)]
pub struct Delivery {
    /// Its number.
    pub id: i64,
    /// The event's, for all attempts.
    pub event_id: String,
    /// What was told: the job's payload.
    pub event: String,
    /// Which attempt it was, from 1.
    pub attempt: i64,
    /// When.
    pub at: Millis,
    /// The status of the answer, if there was one.
    pub status: Option<i64>,
    /// How long it took.
    pub duration_ms: i64,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// The outcome of an attempt.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    /// The event's.
    pub event_id: String,
    /// When it began.
    pub at: Millis,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: Millis,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

impl Drive {
    /// All webhooks, or the one of that number. One round trip.
    pub async fn webhooks(&self, id: Option<i64>) -> Result<Vec<Webhook>> {
        let statement = Statement::read(
            format!("SELECT {WEBHOOK} FROM webhooks WHERE account_id = ?1 AND (?2 IS NULL OR id = ?2) ORDER BY id"),
            [self.account().into(), id.into()],
        );
        let results = self.query(vec![statement]).await?;
        results.all(0)
    }

    /// Deliveries of a webhook of this account before that number, the latest first; or the one of
    /// the number `only`. One round trip.
    pub async fn deliveries(&self, id: i64, before: i64, only: Option<i64>, limit: i64) -> Result<Vec<Delivery>> {
        let statement = Statement::read(
            "SELECT d.id, d.event_id, d.event, d.attempt, d.at, d.status, d.duration_ms, d.answer, d.error \
             FROM webhooks h CROSS JOIN deliveries d ON d.webhook_id = h.id \
             WHERE h.id = ?1 AND h.account_id = ?2 AND d.id < ?3 AND (?4 IS NULL OR d.id = ?4) \
             ORDER BY d.id DESC LIMIT ?5",
            [id.into(), self.account().into(), before.into(), only.into(), limit.into()],
        );
        let results = self.query(vec![statement]).await?;
        results.all(0)
    }
}

impl View {
    /// Makes a webhook. One round trip.
    pub async fn create_webhook(&self, new: &NewWebhook) -> Result<Webhook> {
        let insert = Statement::write(
            format!(
                "INSERT INTO webhooks (account_id, url, secret, events, folder_id, enabled, created_at) \
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE (SELECT count(*) FROM webhooks WHERE account_id = ?1) < ?8 \
                 RETURNING {WEBHOOK}"
            ),
            [self.columns(new).as_slice(), &[self.now().into(), MOST.into()]].concat(),
        );
        let results = self.commit(vec![insert], &Touched::nothing()).await?;
        let made = results.one(0)?;
        made.ok_or_else(|| Error::Conflict(format!("an account may have {MOST} webhooks")))
    }

    /// Changes a webhook; its failures are forgotten. 404 where there is none. One round trip.
    pub async fn change_webhook(&self, id: i64, new: &NewWebhook) -> Result<Webhook> {
        let update = Statement::write(
            format!(
                "UPDATE webhooks SET url = ?2, secret = ?3, events = ?4, folder_id = ?5, enabled = ?6, \
                   failing_since = NULL, not_before = NULL, disabled_reason = NULL WHERE account_id = ?1 AND id = ?7 RETURNING {WEBHOOK}"
            ),
            [self.columns(new).as_slice(), &[id.into()]].concat(),
        );
        let results = self.commit(vec![update], &Touched::nothing()).await?;
        results.one(0)?.ok_or(Error::NotFound("the webhook"))
    }

    fn columns(&self, new: &NewWebhook) -> [Value; 6] {
        let events: Vec<&str> = new.events.iter().map(|event| event.name()).collect();
        [
            self.account().into(),
            new.url.as_str().into(),
            new.secret.as_str().into(),
            events.join(" ").into(),
            new.folder_id.into(),
            new.enabled.into(),
        ]
    }

    /// Deletes a webhook and what was to be told to it. 404 where there is none. One round trip.
    pub async fn delete_webhook(&self, id: i64) -> Result<()> {
        let jobs = Statement::write(
            "DELETE FROM jobs WHERE state IN ('ready', 'dead') AND kind = 'webhook' AND subject = ?1 AND account_id = ?2",
            [id.into(), self.account().into()],
        );
        let hook = Statement::write(
            "DELETE FROM webhooks WHERE id = ?1 AND account_id = ?2 RETURNING id",
            [id.into(), self.account().into()],
        );
        let results = self.commit(vec![jobs, hook], &Touched::nothing()).await?;
        let row: Option<IgnoredAny> = results.one(1)?;
        row.map(|_| ()).ok_or(Error::NotFound("the webhook"))
    }

    /// Has a webhook told something now, even if it fails: the payload of a job. One round trip.
    pub async fn tell_webhook(&self, id: i64, payload: String) -> Result<()> {
        let job = Statement::jobs(
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
             VALUES (?1, 'webhook', ?2, ?3, ?4, ?4) RETURNING 1 AS one",
            [self.account().into(), id.into(), payload.into(), self.now().into()],
        );
        let line = Statement::write(
            "UPDATE webhooks SET not_before = 0 WHERE id = ?1 AND failing_since IS NOT NULL",
            [id.into()],
        );
        self.commit(vec![line, job], &Touched::nothing()).await?;
        Ok(())
    }
}

impl Jobs {
    /// The webhook that a job is for; none if it is gone. One round trip.
    pub async fn webhook(&self, job: &Job) -> Result<Option<Webhook>> {
        let statement = Statement::read(format!("SELECT {WEBHOOK} FROM webhooks WHERE id = ?1"), [job.subject.into()]);
        let results = self.database().batch(vec![statement]).await?;
        results.one(0)
    }

    /// Records an attempt: one that succeeded ends the job, and the webhook fails no longer; one that failed is
    /// repeated later, the others wait a little, and after a day of failures the webhook is switched off. One round trip.
    pub async fn record_attempt(&self, job: &Job, attempt: &Attempt) -> Result<()> {
        let mut also = vec![Self::insert_delivery(job, attempt), Self::prune_deliveries(job)];
        let Some(error) = &attempt.error else {
            also.push(Self::recover(job));
            return self.finish(job, also).await;
        };
        also.extend(self.note_failure(job, error));
        self.fail(job, error, also).await
    }

    fn insert_delivery(job: &Job, attempt: &Attempt) -> Statement {
        Statement::write(
            "INSERT INTO deliveries (webhook_id, event_id, event, attempt, at, status, duration_ms, answer, error) \
             SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM webhooks WHERE id = ?1",
            [
                job.subject.into(),
                attempt.event_id.as_str().into(),
                job.payload.as_str().into(),
                job.tries.into(),
                attempt.at.into(),
                attempt.status.map(i64::from).into(),
                attempt.duration_ms.into(),
                attempt.answer.clone().into(),
                attempt.error.clone().into(),
            ],
        )
    }

    fn prune_deliveries(job: &Job) -> Statement {
        Statement::write(
            "DELETE FROM deliveries WHERE webhook_id = ?1 AND id <= ( \
               SELECT id FROM deliveries WHERE webhook_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            [job.subject.into(), DELIVERIES_KEPT.into()],
        )
    }

    fn recover(job: &Job) -> Statement {
        Statement::write(
            "UPDATE webhooks SET failing_since = NULL, not_before = NULL WHERE id = ?1 AND failing_since IS NOT NULL",
            [job.subject.into()],
        )
    }

    fn note_failure(&self, job: &Job, error: &str) -> [Statement; 2] {
        let failing = Statement::write(
            "UPDATE webhooks SET failing_since = coalesce(failing_since, ?2), not_before = ?3 WHERE id = ?1",
            [job.subject.into(), self.now().into(), (self.now() + FIRST_PAUSE).into()],
        );
        let reason = format!("no delivery succeeded for 24 hours; the last one: {error}");
        let off = Statement::write(
            "UPDATE webhooks SET enabled = 0, disabled_reason = ?2 WHERE id = ?1 AND enabled AND failing_since <= ?3",
            [job.subject.into(), reason.into(), (self.now() - MOST_FAILING).into()],
        );
        [failing, off]
    }
}
