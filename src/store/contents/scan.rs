//! What a virus scanner said of contents, and the jobs that ask it.
//!
//! A file is announced to webhooks when it first has a settled content, and, after a change, when the new content is settled.

use serde::Deserialize;

use crate::error::Result;
use crate::ports::{Millis, Statement};
use crate::store::door::drive::Drive;
use crate::store::ground::content_info::AvStatus;
use crate::store::jobs::event::EventKind;
use crate::store::jobs::job::{FIRST_PAUSE, Job, Jobs};
use crate::store::jobs::tree_event::announce_content;

/// Uploads do not wait for a scanner that has failed less than this ago.
const SPARED: Millis = 60_000;

/// Contents of a rescan that have a job at a time.
const RESCANNED_AT_ONCE: i64 = 200;

/// How many they are.
const RESCANS_LEFT: &str = "SELECT count(*) FROM jobs WHERE kind = 'scan' AND subject = 1 AND state = 'ready'";

/// What the scanner came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Nothing is in it.
    Clean,
    /// What it calls what it found.
    Infected(String),
    /// It takes no file that large.
    TooLarge,
}

impl Finding {
    fn status(&self) -> AvStatus {
        match self {
            Self::Clean => AvStatus::Clean,
            Self::Infected(_) => AvStatus::Infected,
            Self::TooLarge => AvStatus::Skipped,
        }
    }
}

/// The scanner, as far as the database knows.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ScannerState {
    /// Contents that wait for it.
    pub pending: i64,
    /// Since when it has failed; none if it works.
    pub failing_since: Option<Millis>,
    /// How it failed last.
    pub error: Option<String>,
}

/// The last rescan of all contents.
#[derive(Debug, Clone, Deserialize)]
pub struct Rescan {
    /// Contents that there were when it began.
    pub total: i64,
    /// Of those, how many are scanned.
    pub done: i64,
    /// When it began.
    pub started_at: Millis,
    /// When the last of them was scanned.
    pub finished_at: Option<Millis>,
}

impl Rescan {
    /// This one together with that of another database.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            total: self.total + other.total,
            done: self.done + other.done,
            started_at: self.started_at.min(other.started_at),
            finished_at: self.finished_at.zip(other.finished_at).map(|(one, another)| one.max(another)),
        }
    }
}

impl Drive {
    /// Has a content scanned that the same batch inserts.
    pub(super) fn insert_scan(&self, content: &str) -> Statement {
        Statement::jobs(
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
             VALUES (?1, 'scan', 0, ?2, ?3, ?3) RETURNING 1 AS one",
            [self.account.into(), content.into(), self.now.into()],
        )
    }

    /// No file at or below the node `id` is infected: from each infected content, of which there are few, upwards.
    pub(in crate::store) fn guard_uninfected(id: i64) -> Statement {
        Statement::write(
            "INSERT INTO guard WITH RECURSIVE up(id) AS ( \
               SELECT n.id FROM contents c CROSS JOIN nodes n ON n.content_id = c.id \
                 WHERE c.av = 'infected' AND c.av NOT IN ('clean', 'skipped') \
               UNION SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) \
             SELECT 'infected' WHERE EXISTS (SELECT 1 FROM up WHERE id = ?1)",
            [id.into()],
        )
    }

    /// Notes that the scanner did not judge an upload: others need not wait for it.
    pub(super) fn note_scanner_failure(&self, error: &str) -> Statement {
        scanner_fails(self.now, SPARED, error)
    }
}

impl Jobs {
    /// Records what the scanner said of a content whose state was `before`, tells webhooks, and ends the job. Where the content has another state by now, or is gone, the job is done once more
    /// when its lease ends. One round trip.
    pub async fn record_finding(&self, job: &Job, before: AvStatus, finding: &Finding) -> Result<()> {
        let (status, now) = (finding.status(), self.now());
        let signature = match finding {
            Finding::Infected(signature) => Some(signature.clone()),
            Finding::Clean | Finding::TooLarge => None,
        };
        let content = job.payload.as_str();
        // Another scan of the same content may have come to something else, with newer signatures.
        let unchanged = Statement::write(
            "INSERT INTO guard SELECT 'gone' WHERE NOT EXISTS (SELECT 1 FROM contents WHERE id = ?1 AND av = ?2)",
            [content.into(), before.name().into()],
        );
        let judged = Statement::write(
            "UPDATE contents SET av = ?2, signature = ?3 WHERE id = ?1",
            [content.into(), status.name().into(), signature.into()],
        );
        let mut also = vec![unchanged, judged];
        if status.is_settled() {
            also.push(Statement::write(
                "UPDATE nodes SET settled_at = ?2 WHERE content_id = ?1 AND settled_at IS NULL",
                [content.into(), now.into()],
            ));
        }
        if status.is_settled() != before.is_settled() || (status == AvStatus::Infected && before != status) {
            let event = if status.is_settled() { "file.written" } else { EventKind::Infected.name() };
            also.extend(announce_content(job.account_id, content, event, now));
        }
        // It has answered: nobody need be spared it.
        also.push(Statement::write("DELETE FROM scanner", []));
        self.finish(job, also).await
    }

    /// Records that the scanner was not there: the job is tried again, and no attempt is counted. One round trip.
    pub async fn record_scanner_away(&self, job: &Job, error: &str) -> Result<()> {
        self.put_off(job, Some(error), vec![scanner_fails(self.now(), SPARED, error)]).await
    }

    /// Records that the scanner did not judge a content. The job is tried again, and given up after many attempts.
    /// Uploads go on without the scanner for a while if it is `unwell`; else it may be for the content. One round trip.
    pub async fn record_scan_failure(&self, job: &Job, error: &str, unwell: bool) -> Result<()> {
        let spared = if unwell { SPARED } else { 0 };
        self.fail(job, error, vec![scanner_fails(self.now(), spared, error)]).await
    }

    /// The scanner's state. One round trip.
    pub async fn scanner_state(&self) -> Result<ScannerState> {
        let statement = Statement::read(
            "SELECT (SELECT count(*) FROM contents WHERE av = 'pending' AND av NOT IN ('clean', 'skipped')) AS pending, \
               (SELECT failing_since FROM scanner) AS failing_since, (SELECT error FROM scanner) AS error",
            [],
        );
        let results = self.database().batch(vec![statement]).await?;
        Ok(results.one(0)?.unwrap_or_default())
    }

    /// Begins to have all contents scanned again; a rescan that is under way begins anew. One round trip.
    pub async fn begin_rescan(&self) -> Result<()> {
        let begin = Statement::write(
            "INSERT OR REPLACE INTO rescan (one, previous, cursor, total, started_at) \
             SELECT 1, '', '', count(*), ?1 FROM contents WHERE size > 0",
            [self.now().into()],
        );
        let forget = [("rescan", 0), ("scan", 1)].map(|(kind, subject)| {
            Statement::write(
                "DELETE FROM jobs WHERE state IN ('ready', 'dead') AND kind = ?1 AND subject = ?2",
                [kind.into(), subject.into()],
            )
        });
        let job = Statement::jobs(
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
             VALUES (0, 'rescan', 0, '', ?1, ?1) RETURNING 1 AS one",
            [self.now().into()],
        );
        self.database().batch([begin].into_iter().chain(forget).chain([job]).collect()).await.map(|_| ())
    }

    /// Has the next contents of the rescan scanned, as many as there is room for among its scans; whether all of them
    /// have been. Two round trips.
    pub async fn continue_rescan(&self, job: &Job) -> Result<bool> {
        let now = self.now();
        let page = Statement::write(
            format!(
                "UPDATE rescan SET previous = cursor, cursor = coalesce((SELECT max(id) FROM ( \
                   SELECT id FROM contents WHERE id > (SELECT cursor FROM rescan) AND size > 0 ORDER BY id \
                   LIMIT max(0, ?1 - ({RESCANS_LEFT})))), cursor)"
            ),
            [RESCANNED_AT_ONCE.into()],
        );
        // A blob's key begins with the account.
        let scans = Statement::jobs(
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
             SELECT CAST(p.blob_key AS INTEGER), 'scan', 1, c.id, ?1, ?1 FROM rescan r \
               CROSS JOIN contents c ON c.id > r.previous AND c.id <= r.cursor \
               CROSS JOIN parts p ON p.content_id = c.id AND p.seq = 0 \
             RETURNING 1 AS one",
            [now.into()],
        );
        let finished = Statement::write(
            format!(
                "UPDATE rescan SET finished_at = ?1 WHERE NOT ({RESCANS_LEFT}) \
                   AND NOT EXISTS (SELECT 1 FROM contents WHERE id > cursor AND size > 0) RETURNING 1 AS one"
            ),
            [now.into()],
        );
        let results = self.database().batch(vec![page, scans, finished]).await?;
        let is_finished = results.get(2).is_some_and(|rows| !rows.is_empty());
        if is_finished {
            self.finish(job, Vec::new()).await?;
        } else {
            self.put_off(job, None, Vec::new()).await?;
        }
        Ok(is_finished)
    }

    /// The last rescan. One round trip.
    pub async fn rescan(&self) -> Result<Option<Rescan>> {
        let statement = Statement::read(
            format!(
                "SELECT total, started_at, finished_at, CASE WHEN finished_at IS NOT NULL THEN total ELSE min(total, \
                   max(0, (SELECT count(*) FROM contents WHERE id <= cursor AND size > 0) - ({RESCANS_LEFT}))) END AS done \
                 FROM rescan"
            ),
            [],
        );
        let results = self.database().batch(vec![statement]).await?;
        results.one(0)
    }
}

/// While it fails, jobs try it now and then, one at a time, and uploads spare it for a while.
fn scanner_fails(now: Millis, spared: Millis, error: &str) -> Statement {
    Statement::write(
        "INSERT INTO scanner (one, failing_since, retry_at, not_before, error) VALUES (1, ?1, ?2, ?3, ?4) \
         ON CONFLICT (one) DO UPDATE SET retry_at = max(retry_at, excluded.retry_at), \
           not_before = excluded.not_before, error = excluded.error",
        [now.into(), (now + spared).into(), (now + FIRST_PAUSE).into(), error.into()],
    )
}
