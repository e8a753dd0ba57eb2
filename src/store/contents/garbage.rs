//! Blobs that nothing names: which of them may go.

use serde::Deserialize;

use crate::date::DAY;
use crate::error::Result;
use crate::ports::{Millis, Statement};
use crate::store::jobs::job::Jobs;

/// How long the deletion of blobs may take before somebody else does it.
const LEASE: Millis = 600_000;

/// Blobs that an object store deletes in one call.
const MOST: i64 = 1_000;

/// Of those that may have left parts of an upload behind, which cost calls of their own: an invocation of a Worker has a
/// limited number of them.
const MOST_UNFINISHED: i64 = 50;

/// A blob that is to be deleted.
#[derive(Debug, Clone, Deserialize)]
pub struct Garbage {
    /// Its key.
    #[serde(rename = "blob_key")]
    pub key: String,
}

impl Jobs {
    /// Gives up to 1,000 blobs up that have been garbage for `grace` milliseconds: no upload links
    /// them any more. Whoever asks deletes them, and then forgets them. Those that an `unfinished` upload
    /// may have left come by themselves, up to 50. One round trip.
    pub async fn give_up_garbage(&self, grace: Millis, unfinished: bool) -> Result<Vec<Garbage>> {
        let now = self.now();
        let most = if unfinished { MOST_UNFINISHED } else { MOST };
        let statement = Statement::write(
            "UPDATE blob_garbage SET given_up = ?1 WHERE blob_key IN ( \
               SELECT blob_key FROM blob_garbage WHERE due_at <= ?2 AND given_up <= ?3 AND uploaded = ?4 \
               ORDER BY due_at LIMIT ?5) \
             RETURNING blob_key",
            [(now + LEASE).into(), (now - grace).into(), now.into(), unfinished.into(), most.into()],
        );
        let results = self.database().batch(vec![statement]).await?;
        results.all(0)
    }

    /// Forgets blobs that were given up and are deleted. One round trip.
    pub async fn forget_garbage(&self, garbage: &[Garbage]) -> Result<()> {
        let keys: Vec<&str> = garbage.iter().map(|garbage| garbage.key.as_str()).collect();
        let statement = Statement::write(
            "DELETE FROM blob_garbage WHERE given_up > 0 AND blob_key IN (SELECT value FROM json_each(?1))",
            [serde_json::json!(keys).to_string().into()],
        );
        self.database().batch(vec![statement]).await?;
        Ok(())
    }

    /// Forgets locks and uploads that have expired, tokens thirty days after their end, and, where fewer are to be `kept`
    /// than before, up to 1,000 versions beyond that number of a file's. One round trip.
    pub async fn forget_expired(&self, kept: i64) -> Result<()> {
        let now = self.now();
        let locks = Statement::write("DELETE FROM locks WHERE expires_at <= ?1", [now.into()]);
        let tokens = Statement::write("DELETE FROM tokens WHERE expires_at <= ?1", [(now - 30 * DAY).into()]);
        let uploads = Statement::write("DELETE FROM uploads WHERE expires_at <= ?1", [now.into()]);
        let too_many = "SELECT id FROM ( \
             SELECT id, row_number() OVER (PARTITION BY node_id ORDER BY id DESC) AS nth FROM versions \
             WHERE NOT EXISTS (SELECT 1 FROM versions_kept WHERE kept <= ?1)) WHERE nth > ?1";
        let versions = Statement::write(
            format!("DELETE FROM versions WHERE id IN ({too_many} LIMIT ?2)"),
            [kept.into(), MOST.into()],
        );
        // Whatever writes a version keeps their number: they need be looked through once.
        let done = Statement::write(
            format!(
                "INSERT INTO versions_kept (one, kept) SELECT 1, ?1 \
                 WHERE NOT EXISTS (SELECT 1 FROM versions_kept WHERE kept = ?1) AND NOT EXISTS ({too_many}) \
                 ON CONFLICT (one) DO UPDATE SET kept = excluded.kept"
            ),
            [kept.into()],
        );
        self.database().batch(vec![locks, tokens, uploads, versions, done]).await.map(|_| ())
    }
}
