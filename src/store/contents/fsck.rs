//! Rows held against the keys of the blobs that there are: blobs that no row names, and parts of
//! contents whose blob is not there. All drives of a database at once.

use serde::Deserialize;

use crate::error::Result;
use crate::ports::{Millis, Rows, Statement};
use crate::store::jobs::job::Jobs;

/// Files that are told of one lost content; more are only counted.
const MOST_FILES: i64 = 100;

/// What rows and keys say of each other, from one key to another.
#[derive(Debug, Default)]
pub struct Comparison {
    /// The keys that no part of a content and no chunk of an upload has, in order.
    pub unused: Vec<UnusedBlob>,
    /// The parts whose blob is not there, in the order of their keys.
    pub lost: Vec<LostPart>,
}

/// A blob that no part of a content names, and no chunk of an upload.
#[derive(Debug, Clone, Deserialize)]
pub struct UnusedBlob {
    /// Its key.
    pub key: String,
    /// 1 if it is known as garbage; else nobody knows of it.
    pub is_garbage: i64,
}

/// A part of a content whose blob is not there.
#[derive(Debug, Clone, Deserialize)]
pub struct LostPart {
    /// The key of the blob.
    pub key: String,
    /// The content.
    pub content_id: String,
}

/// What names a content.
#[derive(Debug, Default)]
pub struct Named {
    /// Files whose present content it is: the first hundred.
    pub files: Vec<LostFile>,
    /// How many they are.
    pub file_count: usize,
    /// How many versions it is.
    pub versions: usize,
}

/// A file whose content is lost.
#[derive(Debug, Clone, Deserialize)]
pub struct LostFile {
    /// Whose it is.
    pub account_id: i64,
    /// Its number.
    pub id: i64,
    /// The names from the drive's root to it, each after a slash.
    pub path: String,
}

#[derive(Deserialize)]
struct Counts {
    files: usize,
    versions: usize,
}

impl Jobs {
    /// Holds `keys` against the rows: all keys of blobs after `after` up to `until`. Gives at most
    /// `most` lost parts, or all. One round trip.
    pub async fn compare(&self, keys: &[String], after: &str, until: &str, most: Option<usize>) -> Result<Comparison> {
        let keys = serde_json::json!(keys).to_string();
        // SQLite takes a negative number for no limit.
        let most = most.and_then(|most| i64::try_from(most).ok()).unwrap_or(-1);
        let unused = Statement::read(
            "SELECT k.value AS key, EXISTS (SELECT 1 FROM blob_garbage WHERE blob_key = k.value) AS is_garbage \
             FROM json_each(?1) k WHERE NOT EXISTS (SELECT 1 FROM parts WHERE blob_key = k.value) \
               AND NOT EXISTS (SELECT 1 FROM chunks WHERE blob_key = k.value) ORDER BY k.key",
            [keys.as_str().into()],
        );
        let lost = Statement::read(
            "SELECT blob_key AS key, content_id FROM parts WHERE blob_key > ?1 AND blob_key <= ?2 \
               AND blob_key NOT IN (SELECT value FROM json_each(?3)) ORDER BY blob_key LIMIT ?4",
            [after.into(), until.into(), keys.into(), most.into()],
        );
        let results = self.database().batch(vec![unused, lost]).await?;
        Ok(Comparison { unused: results.all(0)?, lost: results.all(1)? })
    }

    /// What names a content. One round trip.
    pub async fn named(&self, content: &str) -> Result<Named> {
        let files = Statement::read(
            "WITH RECURSIVE named(id, name, parent_id) AS MATERIALIZED ( \
               SELECT id, name, parent_id FROM nodes WHERE content_id = ?1 ORDER BY id LIMIT ?2), \
             up(id, path, parent_id, account_id) AS (SELECT id, name, parent_id, NULL FROM named \
               UNION ALL SELECT up.id, n.name || '/' || up.path, n.parent_id, abs(n.root_of) \
               FROM up CROSS JOIN nodes n ON n.id = up.parent_id) \
             SELECT account_id, id, path FROM up WHERE account_id IS NOT NULL ORDER BY id",
            [content.into(), MOST_FILES.into()],
        );
        let counts = Statement::read(
            "SELECT (SELECT count(*) FROM nodes WHERE content_id = ?1) AS files, \
               (SELECT count(*) FROM versions WHERE content_id = ?1) AS versions",
            [content.into()],
        );
        let results = self.database().batch(vec![files, counts]).await?;
        let counts: Option<Counts> = results.one(1)?;
        let (file_count, versions) = counts.map_or((0, 0), |counts| (counts.files, counts.versions));
        Ok(Named { files: results.all(0)?, file_count, versions })
    }

    /// Records blobs that nobody knows of as garbage, from now on. One round trip.
    pub async fn adopt_garbage(&self, keys: &[String]) -> Result<()> {
        let now: Millis = self.now();
        let statement = Statement::write(
            "INSERT OR IGNORE INTO blob_garbage (blob_key, due_at) SELECT k.value, ?2 FROM json_each(?1) k \
             WHERE NOT EXISTS (SELECT 1 FROM parts WHERE blob_key = k.value) \
               AND NOT EXISTS (SELECT 1 FROM chunks WHERE blob_key = k.value)",
            [serde_json::json!(keys).to_string().into(), now.into()],
        );
        self.database().batch(vec![statement]).await?;
        Ok(())
    }

    /// Forgets the versions that are a lost content, and the content with them. Gives whether it is
    /// gone, and no file has got it meanwhile. One round trip.
    pub async fn forget_lost(&self, content: &str) -> Result<bool> {
        let versions = Statement::write("DELETE FROM versions WHERE content_id = ?1", [content.into()]);
        let unnamed = Statement::write(
            "DELETE FROM contents WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM nodes WHERE content_id = ?1) \
               AND NOT EXISTS (SELECT 1 FROM versions WHERE content_id = ?1)",
            [content.into()],
        );
        let left = Statement::read("SELECT 1 AS one FROM contents WHERE id = ?1", [content.into()]);
        let results = self.database().batch(vec![versions, unnamed, left]).await?;
        Ok(results.last().is_some_and(Rows::is_empty))
    }
}
