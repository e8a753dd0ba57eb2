//! Deleting trees for good, however large: one batch deletes a number of nodes, leaves first, and a job comes again until
//! nothing is left.
//!
//! Until then, what is being purged is in the trash, where nobody sees it. Its bytes and nodes count as long as they are
//! there: so whoever fills the drive as fast as it is emptied is held up by its limits.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use serde_json::json;

use super::folder::BELOW;
use crate::error::Result;
use crate::ports::{Millis, Rows, Statement};
use crate::store::door::commit::Place;
use crate::store::door::drive::Drive;
use crate::store::door::view::View;
use crate::store::jobs::event::MOST_AT_ONCE;
use crate::store::jobs::job::{Job, Jobs};

/// Nodes that one batch deletes.
pub(in crate::store) const MOST: i64 = 6_000;

/// Deletions whose time is over, of which the sweep has a job make an end.
const MOST_EXPIRED: i64 = 1_000;

/// The payload of a job that deletes all of an account's drive, and not what is in its trash.
const DRIVE: &str = "drive";

/// Whether webhooks are still to be told of a tree of account ?1. It must not go before.
const IS_TOLD_OF: &str = "EXISTS (SELECT 1 FROM jobs WHERE state = 'ready' AND kind = 'tree' AND subject = ?1)";

#[derive(Deserialize)]
struct Telling {
    telling: i64,
}

/// A node that is to go, in the order of a walk: each folder is followed by all that is below it.
#[derive(Debug, Clone, Deserialize)]
struct Row {
    id: i64,
    parent_id: Option<i64>,
    size: i64,
    is_file: i64,
}

/// What a batch takes away.
#[derive(Debug, Default, PartialEq)]
struct Step {
    /// The nodes.
    gone: Vec<i64>,
    /// Folders that stay for now: number, and the bytes, files and folders below them that go.
    left: Vec<(i64, [i64; 3])>,
}

impl Step {
    /// What can go of `rows`, the beginning of a walk, or all of it. Where it broke off, the folders that lead to the last
    /// node are not done yet; everything else has been seen to its end.
    fn of(rows: &[Row], is_all: bool) -> Self {
        let parents: HashMap<i64, Option<i64>> = rows.iter().map(|row| (row.id, row.parent_id)).collect();
        let mut open = HashSet::new();
        let mut next =
            rows.last().filter(|_| !is_all).map(|last| if last.is_file == 0 { Some(last.id) } else { last.parent_id });
        while let Some(Some(id)) = next {
            next = parents.get(&id).copied();
            if next.is_some() {
                open.insert(id);
            }
        }
        let mut step = Self::default();
        let mut below = [0; 3];
        // From the last to the first: behind an open folder are the nodes below it.
        for row in rows.iter().rev() {
            if open.contains(&row.id) {
                step.left.push((row.id, below));
            } else {
                step.gone.push(row.id);
                let is_file = row.is_file;
                below = [below[0] + row.size * is_file, below[1] + is_file, below[2] + 1 - is_file];
            }
        }
        step
    }

    /// The bytes, files and folders that go.
    fn total(&self, rows: &[Row]) -> [i64; 3] {
        let gone: HashSet<i64> = self.gone.iter().copied().collect();
        rows.iter()
            .filter(|row| gone.contains(&row.id))
            .fold([0; 3], |sum, row| [sum[0] + row.size * row.is_file, sum[1] + row.is_file, sum[2] + 1 - row.is_file])
    }
}

impl Drive {
    /// Reads whether webhooks are still to be told of a tree, for a batch of `View`; `is_telling` reads the answer.
    pub(super) fn telling_statement(&self) -> Statement {
        Statement::read(format!("SELECT {IS_TOLD_OF} AS telling"), [self.account.into()])
    }

    /// What `telling_statement` has read.
    pub(super) fn is_telling(rows: Option<&Rows>) -> Result<bool> {
        let row: Option<Telling> = rows.map(Rows::first).transpose()?.flatten();
        Ok(row.is_some_and(|row| row.telling != 0))
    }
}

impl View {
    /// Whether a purge of the occupant of the place fits into the batch of a request, and nobody is to be told of it by a
    /// job.
    pub(super) fn is_purged_at_once(&self, place: &Place) -> bool {
        place.nodes <= if self.caller.has_webhooks != 0 { MOST_AT_ONCE } else { MOST }
    }

    /// Has a job delete the occupant of the place and everything below it for good.
    pub(super) fn purge_later(&self, place: &Place, members_changed: bool) -> Vec<Statement> {
        let mut statements = if place.parent == self.caller.trash_id {
            let params = || place.occupant.as_ref().map(|(id, _)| (*id).into()).into_iter().collect::<Vec<_>>();
            let hide = "UPDATE trashed SET purging = 1 WHERE node_id = ?1";
            let rename = "UPDATE nodes SET name = 'purged ' || id WHERE id = ?1";
            vec![Statement::write(hide, params()), Statement::write(rename, params()), self.touch_trash()]
        } else {
            self.trash_statements(place, members_changed, true)
        };
        statements.push(self.purge_job());
        statements
    }

    /// Has a job delete all that is in the trash.
    pub(super) fn purge_all_later(&self) -> Vec<Statement> {
        vec![
            Statement::write(
                "UPDATE trashed SET purging = 1 WHERE account_id = ?1 AND NOT purging",
                [self.account.into()],
            ),
            Statement::write(
                "UPDATE nodes SET name = 'purged ' || id WHERE parent_id = ?1",
                [self.caller.trash_id.into()],
            ),
            self.touch_trash(),
            self.purge_job(),
        ]
    }

    fn touch_trash(&self) -> Statement {
        Statement::write(
            "UPDATE nodes SET etag = ?2, modified_at = ?3 WHERE id = ?1",
            [self.caller.trash_id.into(), self.new_etag().into(), self.now.into()],
        )
    }

    fn purge_job(&self) -> Statement {
        insert_purge(self.account, "", self.now)
    }

    /// Nobody is to be told of a tree any more.
    pub(super) fn guard_told(&self) -> Statement {
        Statement::write(format!("INSERT INTO guard SELECT 'gone' WHERE {IS_TOLD_OF}"), [self.account.into()])
    }
}

/// Has a drive deleted with all that is in it.
pub(in crate::store) fn purge_drive(account: i64, now: Millis) -> Statement {
    insert_purge(account, DRIVE, now)
}

fn insert_purge(account: i64, payload: &str, now: Millis) -> Statement {
    Statement::jobs(
        "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
         SELECT ?1, 'purge', ?1, ?2, ?3, ?3 WHERE NOT EXISTS ( \
           SELECT 1 FROM jobs WHERE state = 'ready' AND kind = 'purge' AND subject = ?1 AND payload = ?2) \
         RETURNING 1 AS one",
        [account.into(), payload.into(), now.into()],
    )
}

/// Deletes the nodes of a batch: what is below ?1, or that, too.
pub(super) fn delete_below(id: i64, with_itself: bool) -> Statement {
    let least = i64::from(!with_itself);
    Statement::write(
        format!("WITH RECURSIVE {BELOW} DELETE FROM nodes WHERE id IN (SELECT id FROM below WHERE depth >= ?2)"),
        [id.into(), least.into()],
    )
}

impl Jobs {
    /// Has jobs make up to 1,000 deletions final, the oldest of those that were made before `before`. One round trip.
    pub async fn expire_trash(&self, before: Millis) -> Result<()> {
        let expired = Statement::write(
            "UPDATE trashed SET purging = 1 WHERE node_id IN ( \
               SELECT node_id FROM trashed WHERE deleted_at <= ?1 AND NOT purging ORDER BY deleted_at, node_id LIMIT ?2)",
            [before.into(), MOST_EXPIRED.into()],
        );
        let hide = Statement::write(
            "UPDATE nodes SET name = 'purged ' || id \
             WHERE id IN (SELECT node_id FROM trashed WHERE purging) AND name = CAST(id AS TEXT)",
            [],
        );
        let jobs = Statement::jobs(
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
             SELECT DISTINCT account_id, 'purge', account_id, '', ?1, ?1 FROM trashed WHERE purging AND NOT EXISTS ( \
               SELECT 1 FROM jobs WHERE state = 'ready' AND kind = 'purge' AND subject = trashed.account_id) \
             RETURNING 1 AS one",
            [self.now().into()],
        );
        self.database().batch(vec![expired, hide, jobs]).await.map(|_| ())
    }

    /// Does a step of a job of the kind `purge`. Two round trips.
    pub async fn purge(&self, job: &Job) -> Result<()> {
        let mut most = MOST;
        loop {
            let (telling, rows) = self.next_to_purge(job, most).await?;
            if telling {
                return self.put_off(job, None, Vec::new()).await;
            }
            let is_all = i64::try_from(rows.len()).is_ok_and(|count| count < most);
            let step = Step::of(&rows, is_all);
            if is_all || !step.gone.is_empty() {
                return self.purge_rows(job, &step, step.total(&rows)).await;
            }
            // Folders within folders, so many that no leaf is among them.
            most *= 2;
        }
    }

    /// Whether it must wait, and the beginning of a walk through what is to go.
    async fn next_to_purge(&self, job: &Job, most: i64) -> Result<(bool, Vec<Row>)> {
        let tops = if job.payload == DRIVE {
            "SELECT id FROM nodes WHERE root_of IN (?1, -?1)"
        } else {
            "SELECT node_id FROM trashed WHERE account_id = ?1 AND purging"
        };
        let telling = Statement::read(format!("SELECT {IS_TOLD_OF} AS telling"), [job.account_id.into()]);
        // The deepest first: SQLite then goes down before it goes on.
        let walk = Statement::read(
            format!(
                "WITH RECURSIVE tops(id) AS MATERIALIZED ({tops} LIMIT ?2), \
                 below(id, depth) AS (SELECT id, 0 FROM tops \
                   UNION ALL SELECT n.id, b.depth + 1 FROM below b CROSS JOIN nodes n ON n.parent_id = b.id \
                   ORDER BY 2 DESC LIMIT ?2) \
                 SELECT n.id, n.parent_id, n.size, n.content_id IS NOT NULL AS is_file \
                 FROM below b CROSS JOIN nodes n ON n.id = b.id"
            ),
            [job.account_id.into(), most.into()],
        );
        let results = self.database().batch(vec![telling, walk]).await?;
        let rows = results.all(1)?;
        Ok((Drive::is_telling(results.first())?, rows))
    }

    /// Deletes the nodes of a step; the job ends with the last of them.
    async fn purge_rows(&self, job: &Job, step: &Step, [size, files, folders]: [i64; 3]) -> Result<()> {
        let account = || job.account_id.into();
        let mut batch = vec![
            Statement::write(
                "UPDATE nodes SET size = nodes.size - (d.value ->> '$[1][0]'), \
                   files = nodes.files - (d.value ->> '$[1][1]'), folders = nodes.folders - (d.value ->> '$[1][2]') \
                 FROM json_each(?1) d WHERE nodes.id = d.value ->> '$[0]'",
                [json!(step.left).to_string().into()],
            ),
            Statement::write(
                "DELETE FROM nodes WHERE id IN (SELECT value FROM json_each(?1))",
                [json!(step.gone).to_string().into()],
            ),
        ];
        let is_done = if job.payload == DRIVE {
            batch.push(Statement::write(
                "DELETE FROM drives WHERE account_id IN (?1, -?1) \
                   AND NOT EXISTS (SELECT 1 FROM nodes WHERE root_of IN (?1, -?1))",
                [account()],
            ));
            "NOT EXISTS (SELECT 1 FROM drives WHERE account_id = ?2)"
        } else {
            batch.push(Statement::write(
                "UPDATE nodes SET size = size - ?2, files = files - ?3, folders = folders - ?4 WHERE root_of = -?1",
                [account(), size.into(), files.into(), folders.into()],
            ));
            "NOT EXISTS (SELECT 1 FROM trashed WHERE account_id = ?2 AND purging)"
        };
        batch.push(Statement::write(
            format!("DELETE FROM jobs WHERE id = ?1 AND {is_done}"),
            [job.id.into(), account()],
        ));
        self.go_on(job, job.payload.clone(), batch).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1(2(a b) 3(c))`, in the order of a walk.
    fn walk() -> Vec<Row> {
        let row = |id, parent_id, size| Row { id, parent_id: Some(parent_id), size, is_file: i64::from(size > 0) };
        vec![row(1, 9, 0), row(2, 1, 0), row(11, 2, 5), row(12, 2, 6), row(3, 1, 0), row(13, 3, 7)]
    }

    #[test]
    fn a_whole_tree_goes_at_once() {
        let rows = walk();
        let step = Step::of(&rows, true);
        assert_eq!((step.gone.len(), step.left.len()), (6, 0));
        assert_eq!(step.total(&rows), [18, 3, 3]);
    }

    #[test]
    fn folders_that_lead_to_the_last_node_stay_with_less_in_them() {
        let rows = &walk()[..3];
        assert_eq!(Step::of(rows, false), Step { gone: vec![11], left: vec![(2, [5, 1, 0]), (1, [5, 1, 0])] });
        let rows = &walk()[..5];
        let step = Step::of(rows, false);
        assert_eq!(step, Step { gone: vec![12, 11, 2], left: vec![(3, [0, 0, 0]), (1, [11, 2, 1])] });
        assert_eq!(step.total(rows), [11, 2, 1]);
    }

    #[test]
    fn of_nothing_but_folders_within_folders_nothing_goes() {
        assert!(Step::of(&walk()[..2], false).gone.is_empty());
        assert_eq!(Step::of(&[], true), Step::default());
    }
}
