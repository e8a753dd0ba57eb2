//! Lines of jobs: those of one kind and subject wait behind each other. Which of them is next.
//!
//! What holds for a whole line is in one row: while a webhook or the scanner fails, nothing of its line is tried before
//! `not_before`, and one job at a time. So a failure writes as much, however many wait.

use super::job::{DueRow, Job, Jobs, LEASE};
use crate::error::Result;
use crate::ports::{Millis, Statement};

/// Jobs of one line that are leased at once, so that one slow receiver does not hold up the others; of one that fails,
/// it is one.
const AT_ONCE_OF_A_LINE: i64 = 4;

/// What an attempt counts for that follows one which never came to an end, where each reads a whole content: one that takes
/// more time than the runtime gives is not read 25 times.
const DEAR: i64 = 5;

/// (The plus signs keep SQLite from an index in which all that waits stands.)
///
/// `lines`: each kind and subject of which something waits at the time ?1, found by leaps through an index; how many of its
/// jobs are leased, of how many at most (?2), and before when none is to be tried.
const LINES: &str = "named(kind, subject) AS ( \
     SELECT kind, subject FROM (SELECT kind, subject FROM jobs WHERE state = 'ready' ORDER BY kind, subject LIMIT 1) \
     UNION ALL SELECT j.kind, j.subject FROM named l CROSS JOIN jobs j ON j.id = coalesce( \
       (SELECT id FROM jobs WHERE state = 'ready' AND kind = l.kind AND subject > l.subject ORDER BY subject LIMIT 1), \
       (SELECT id FROM jobs WHERE state = 'ready' AND kind > l.kind ORDER BY kind, subject LIMIT 1))), \
   held(kind, subject, not_before) AS (SELECT kind, subject, CASE kind \
     WHEN 'webhook' THEN (SELECT coalesce(not_before, 0) FROM webhooks \
       WHERE id = subject AND failing_since IS NOT NULL) \
     WHEN 'scan' THEN (SELECT not_before FROM scanner) END FROM named), \
   lines(kind, subject, not_before, leased, places) AS MATERIALIZED ( \
     SELECT kind, subject, coalesce(not_before, 0), \
       (SELECT count(*) FROM jobs j WHERE j.lease IS NOT NULL AND j.kind = held.kind AND j.subject = held.subject \
         AND +j.state = 'ready' AND j.due_at > ?1), \
       CASE WHEN not_before IS NULL THEN ?2 ELSE 1 END FROM held)";

impl Jobs {
    /// Leases up to `limit` jobs that are due, not many of one line. First come lines, then their jobs: however many wait
    /// in one, the others are seen. Accounts take turns, and with each the kinds of its jobs. One round trip.
    pub async fn lease(&self, limit: i64) -> Result<Vec<Job>> {
        let now = self.now();
        let lease = Statement::write(
            format!(
                "UPDATE jobs SET lease = ?3, due_at = ?4, \
                   tries = tries + CASE WHEN kind = 'digest' AND lease IS NOT NULL THEN {DEAR} ELSE 1 END WHERE id IN ( \
                   WITH RECURSIVE {LINES}, \
                   busy(account_id, kind, jobs) AS MATERIALIZED ( \
                     SELECT account_id, kind, count(*) FROM jobs \
                     WHERE lease IS NOT NULL AND due_at > ?1 AND +state = 'ready' GROUP BY account_id, kind), \
                   heads(id, nth) AS ( \
                     SELECT h.value, l.leased + h.key FROM lines l CROSS JOIN json_each((SELECT json_group_array(id) FROM ( \
                       SELECT id FROM jobs WHERE state = 'ready' AND kind = l.kind AND subject = l.subject AND due_at <= ?1 \
                       ORDER BY due_at, id LIMIT ?2))) h \
                     WHERE l.not_before <= ?1 AND l.leased + h.key < l.places), \
                   turns(id, due_at, account_id, kind, turn) AS ( \
                     SELECT j.id, j.due_at, j.account_id, j.kind, row_number() OVER ( \
                       PARTITION BY j.account_id, j.kind ORDER BY h.nth, j.due_at, j.id) \
                     FROM heads h CROSS JOIN jobs j ON j.id = h.id) \
                   SELECT t.id FROM turns t LEFT JOIN busy b ON b.account_id = t.account_id AND b.kind = t.kind \
                   ORDER BY coalesce(b.jobs, 0) + t.turn, t.due_at, t.id LIMIT ?5) \
                 RETURNING id, account_id, kind, subject, payload, tries, lease"
            ),
            [now.into(), AT_ONCE_OF_A_LINE.into(), self.random_lease().into(), (now + LEASE).into(), limit.into()],
        );
        let results = self.database().batch(vec![self.give_up(), lease]).await?;
        let mut jobs: Vec<Job> = results.all(1)?;
        jobs.sort_by_key(|job| job.id);
        Ok(jobs)
    }

    /// When the next job is due that there is a place for; none where there is none. One round trip.
    pub async fn next_due(&self) -> Result<Option<Millis>> {
        let results = self.database().batch(vec![self.next_due_statement()]).await?;
        let row: Option<DueRow> = results.one(0)?;
        Ok(row.and_then(|row| row.due_at))
    }

    /// Selects that, as `due_at`. A line without a place has one when the first of its leases ends.
    pub(super) fn next_due_statement(&self) -> Statement {
        Statement::read(
            format!(
                "WITH RECURSIVE {LINES} SELECT min(CASE \
                   WHEN leased >= places THEN (SELECT min(j.due_at) FROM jobs j WHERE j.lease IS NOT NULL \
                     AND j.kind = lines.kind AND j.subject = lines.subject AND +j.state = 'ready' AND j.due_at > ?1) \
                   ELSE max(not_before, (SELECT min(j.due_at) FROM jobs j \
                     WHERE j.state = 'ready' AND j.kind = lines.kind AND j.subject = lines.subject)) END) AS due_at \
                 FROM lines"
            ),
            [self.now().into(), AT_ONCE_OF_A_LINE.into()],
        )
    }
}
