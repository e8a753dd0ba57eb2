//! What webhooks are told of a large tree, or of a content that many files share: one job, which is expanded in steps, each a batch of bounded size.
//!
//! The job says what happened, when, and whom it reached. The files are found when their turn comes, by the numbers of
//! nodes, which never change: those below the tree that there were when it happened. What is in the trash is not purged
//! before.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::event::{EventKind, MOST_AT_ONCE, WANTED, reach_of, telling};
use super::job::{Job, Jobs};
use crate::error::{Error, Result};
use crate::ports::{Millis, Statement, Value};
use crate::store::door::commit::Place;
use crate::store::door::view::View;

/// Jobs that a step inserts, about.
const STEP: i64 = 1_000;

/// How long a request may have been under way before its batch, so that files were settled after it began.
const SLACK: Millis = 60_000;

/// The payload of a job of the kind `tree`.
#[derive(Debug, Serialize, Deserialize)]
struct TreeEvent {
    event: String,
    at: Millis,
    of: Of,
    /// The last node that there was when it happened, and the last webhook.
    last_node: i64,
    last_hook: i64,
    /// The webhooks of the whole drive, or of a folder that the tree was in.
    above: Vec<i64>,
    /// The last file that was told of.
    after: i64,
}

/// Which files are told of.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Of {
    /// Those below the folder of that number.
    Tree(i64),
    /// Those that have that content.
    Content(String),
}

#[derive(Deserialize)]
struct FileRow {
    id: i64,
}

impl View {
    /// Has every file at or below `place` told of.
    pub(super) fn announce_tree(&self, event: &'static str, place: &Place) -> Statement {
        Statement::jobs(
            format!(
                "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
                 WITH RECURSIVE {WANTED}, \
                 root(id) AS MATERIALIZED (SELECT id FROM nodes WHERE parent_id = ?2 AND name = ?3), \
                 up(id) AS (SELECT parent_id FROM nodes WHERE id = (SELECT id FROM root) UNION ALL \
                   SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) \
                 SELECT ?1, 'tree', ?1, json_object('event', ?5, 'at', CAST(?4 AS INTEGER), 'of', json_object('tree', r.id), \
                   'last_node', (SELECT seq FROM sqlite_sequence WHERE name = 'nodes'), \
                   'last_hook', (SELECT max(id) FROM wanted), \
                   'above', json((SELECT json_group_array(id) FROM wanted \
                     WHERE folder_id IS NULL OR folder_id IN (SELECT id FROM up))), \
                   'after', 0), ?4, ?4 \
                 FROM root r WHERE EXISTS (SELECT 1 FROM wanted WHERE instr(events, ' ' || ?5 || ' ')) \
                 RETURNING 1 AS one"
            ),
            [self.account.into(), place.parent.into(), place.name.as_str().into(), self.now.into(), event.into()],
        )
    }
}

impl Jobs {
    /// Does a step of a job of the kind `tree`: inserts the jobs that tell of the next files. Two round trips.
    pub async fn tell_tree(&self, job: &Job) -> Result<()> {
        let tree: TreeEvent = serde_json::from_str(&job.payload).map_err(Error::internal)?;
        let files = self.next_files(job, &tree).await?;
        let Some(after) = files.last().copied() else { return self.finish(job, Vec::new()).await };
        let told = Self::tell_of_files(job, &tree, &files);
        let rest = TreeEvent { after, ..tree };
        self.go_on(job, json!(rest).to_string(), vec![told]).await
    }

    /// The files that come next, by number.
    async fn next_files(&self, job: &Job, tree: &TreeEvent) -> Result<Vec<i64>> {
        let (files, of): (_, Value) = match &tree.of {
            Of::Tree(folder) => (
                "WITH RECURSIVE below(id) AS (SELECT id FROM nodes WHERE id = ?1 \
                   UNION ALL SELECT n.id FROM below b CROSS JOIN nodes n ON n.parent_id = b.id) \
                 SELECT n.id FROM below b CROSS JOIN nodes n ON n.id = b.id WHERE n.content_id IS NOT NULL",
                (*folder).into(),
            ),
            Of::Content(content) => ("SELECT n.id FROM nodes n WHERE n.content_id = ?1", content.as_str().into()),
        };
        let statement = Statement::read(
            format!(
                "{files} AND n.id > ?2 AND n.id <= ?3 ORDER BY n.id LIMIT ( \
                   SELECT CAST(max(1, ?4 / max(1, count(*))) AS INTEGER) FROM webhooks \
                   WHERE account_id = ?5 AND enabled)"
            ),
            [of, tree.after.into(), tree.last_node.into(), STEP.into(), job.account_id.into()],
        );
        let results = self.database().batch(vec![statement]).await?;
        let rows: Vec<FileRow> = results.all(0)?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// The jobs that tell of these files.
    fn tell_of_files(job: &Job, tree: &TreeEvent, files: &[i64]) -> Statement {
        let all = |tail: [Value; 3]| {
            let head: [Value; 5] = [
                job.account_id.into(),
                json!(files).to_string().into(),
                json!(tree.above).to_string().into(),
                tree.at.into(),
                tree.event.as_str().into(),
            ];
            head.into_iter().chain(tail).collect::<Vec<Value>>()
        };
        let Of::Tree(folder) = tree.of else {
            let reach = reach_of("SELECT value FROM json_each(?2)");
            return Statement::jobs(telling(&reach), all([Value::Null, Value::Null, Value::Null]));
        };
        // What was settled after a file was made has been told of then.
        let settled = if tree.event == EventKind::Created.name() { tree.at } else { tree.at + SLACK };
        // Within a folder that was moved, files are where they were.
        let (parent, name): (Value, Value) =
            if tree.event == EventKind::Moved.name() { (0.into(), "".into()) } else { (Value::Null, Value::Null) };
        let mut params = all([parent, name, settled.into()]);
        params.extend([folder.into(), tree.last_hook.into()]);
        Statement::jobs(telling(REACH), params)
    }
}

/// `reach` for the files ?2 of the tree ?9: webhooks that it was within the reach of, ?3, and those of a folder in it.
const REACH: &str = "root(id) AS (SELECT ?9), \
     files(id) AS MATERIALIZED (SELECT value FROM json_each(?2)), \
     up(file, id) AS (SELECT f.id, n.parent_id FROM files f CROSS JOIN nodes n ON n.id = f.id \
       UNION SELECT up.file, n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id \
         WHERE up.id <> ?9 AND n.parent_id IS NOT NULL), \
     reach(hook, id) AS ( \
       SELECT w.id, f.id FROM wanted w CROSS JOIN files f WHERE w.id IN (SELECT value FROM json_each(?3)) \
       UNION SELECT w.id, up.file FROM up CROSS JOIN wanted w ON w.folder_id = up.id WHERE w.id <= ?10)";

/// Tells of the event `event`, or of a content that has come to be settled (`file.written`), for each file of account
/// `account` that has the content and is not in the trash; where there are many, one job does.
pub(in crate::store) fn announce_content(account: i64, content: &str, event: &str, now: Millis) -> [Statement; 2] {
    let files = format!(
        "SELECT id FROM nodes WHERE content_id = ?2 AND EXISTS (SELECT 1 FROM wanted) \
         AND (SELECT count(*) FROM (SELECT 1 FROM nodes WHERE content_id = ?2 LIMIT {MOST_AT_ONCE} + 1)) <= {MOST_AT_ONCE}"
    );
    let few = Statement::jobs(
        telling(&reach_of(&files)),
        [account.into(), content.into(), Value::Null, now.into(), event.into(), Value::Null, Value::Null, Value::Null],
    );
    [few, announce_many(account, content, event, now)]
}

/// Has all files told of that have a content, where they are more than a batch tells of itself.
fn announce_many(account: i64, content: &str, event: &str, now: Millis) -> Statement {
    Statement::jobs(
        format!(
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
             SELECT ?1, 'tree', ?1, json_object('event', ?4, 'at', CAST(?3 AS INTEGER), \
               'of', json_object('content', ?2), 'last_node', (SELECT seq FROM sqlite_sequence WHERE name = 'nodes'), \
               'last_hook', 0, 'above', json('[]'), 'after', 0), ?3, ?3 \
             WHERE EXISTS (SELECT 1 FROM webhooks WHERE account_id = ?1 AND enabled) \
               AND (SELECT count(*) FROM (SELECT 1 FROM nodes WHERE content_id = ?2 LIMIT {MOST_AT_ONCE} + 1)) > {MOST_AT_ONCE} \
             RETURNING 1 AS one"
        ),
        [account.into(), content.into(), now.into(), event.into()],
    )
}
