//! Uploads that come in chunks: each chunk stays the blob that it arrived as, and the end only links them.

use serde::Deserialize;
use serde_json::json;

use super::content::{Link, Linked, Part};
use super::{AvStatus, Content, Drive, Place};
use crate::error::{Error, Result};
use crate::ports::{Digests, Millis, Rows, Statement};

/// How long an upload may take from its beginning to its end.
const UPLOAD_TIME: Millis = 24 * 3_600_000;

/// Uploads that a listing names.
const MOST_LISTED: i64 = 1_000;

/// Selects a `ChunkedUpload`.
const UPLOAD: &str = "SELECT u.id, u.total, u.target, u.expires_at, u.linked, \
   CASE WHEN u.linked THEN u.total ELSE coalesce(sum(c.size), 0) END AS received, count(c.size) AS chunks \
   FROM uploads u LEFT JOIN chunks c ON c.upload_id = u.id";

/// An upload that comes in chunks.
#[derive(Debug, Clone, Deserialize)]
pub struct ChunkedUpload {
    /// Its number.
    pub id: i64,
    /// Bytes that the client announced.
    pub total: Option<i64>,
    /// Bytes that have come.
    pub received: i64,
    /// Chunks that have come.
    pub chunks: i64,
    /// Where the file is to be, for TUS, which says so at the beginning: JSON.
    pub target: Option<String>,
    /// When what has come is thrown away.
    pub expires_at: Millis,
    linked: i64,
    /// The digests of all that has come, if this request brought it in one piece.
    #[serde(skip)]
    pub digests: Option<Digests>,
}

impl ChunkedUpload {
    /// Whether its file is made already.
    pub fn is_linked(&self) -> bool {
        self.linked != 0
    }
}

/// A chunk that has come.
#[derive(Debug, Clone, Deserialize)]
pub struct Chunk {
    /// The client's name for it.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// When it came.
    pub created_at: Millis,
}

#[derive(Deserialize)]
struct Begun {
    id: i64,
}

impl Drive {
    /// A name for an upload that its client gives none.
    pub fn new_chunked_name(&self) -> String {
        self.ports.random_hex(16)
    }

    /// Begins an upload of that name: 405 where there is one. One round trip.
    pub async fn begin_chunked(&self, name: &str, total: Option<i64>, target: Option<String>) -> Result<ChunkedUpload> {
        let expires_at = self.now + UPLOAD_TIME;
        let begin = Statement::new(
            "INSERT INTO uploads (account_id, name, total, created_at, expires_at, target) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT DO NOTHING RETURNING id",
            [self.account.into(), name.into(), total.into(), self.now.into(), expires_at.into(), target.clone().into()],
        );
        let results = self.database.batch(vec![begin]).await?;
        let row: Option<Begun> = results.first().map(Rows::first).transpose()?.flatten();
        let Begun { id } = row.ok_or(Error::AlreadyExists("PROPFIND, PUT, MOVE, DELETE"))?;
        Ok(ChunkedUpload { id, total, received: 0, chunks: 0, target, expires_at, linked: 0, digests: None })
    }

    /// Notes an upload that needed no bytes of its own, its file being made of others, for the batch of `link_chunks`.
    pub fn note_linked(&self, name: &str, total: i64, target: &str) -> Statement {
        Statement::new(
            "INSERT INTO uploads (account_id, name, total, created_at, expires_at, target, linked) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)",
            [
                self.account.into(),
                name.into(),
                total.into(),
                self.now.into(),
                (self.now + UPLOAD_TIME).into(),
                target.into(),
            ],
        )
    }

    /// Reads the uploads of these names, for a batch of `View`; `chunked_uploads` reads the answer.
    pub fn find_chunked(&self, names: &[&str]) -> Statement {
        Statement::new(
            format!(
                "{UPLOAD} WHERE u.account_id = ?1 AND u.name IN (SELECT value FROM json_each(?2)) \
                 GROUP BY u.id ORDER BY (SELECT key FROM json_each(?2) WHERE value = u.name)"
            ),
            [self.account.into(), json!(names).to_string().into()],
        )
    }

    /// The uploads that `find_chunked` has read, in the order of their names, `count` of them: 404 where one is missing, 410
    /// where the time of one is over.
    pub fn chunked_uploads(&self, rows: Option<&Rows>, count: usize) -> Result<Vec<ChunkedUpload>> {
        let uploads: Vec<ChunkedUpload> = rows.map(Rows::parse).transpose()?.unwrap_or_default();
        if uploads.len() != count {
            return Err(Error::NotFound("the upload"));
        }
        if uploads.iter().any(|upload| upload.expires_at <= self.now) {
            return Err(Error::Expired);
        }
        Ok(uploads)
    }

    /// The only one that `find_chunked` has read.
    pub fn chunked_upload(&self, rows: Option<&Rows>) -> Result<ChunkedUpload> {
        self.chunked_uploads(rows, 1)?.pop().ok_or(Error::NotFound("the upload"))
    }

    /// Reads the names of the uploads under way that clients have named, for a batch of `View`; `all_chunked` reads the
    /// answer.
    pub fn find_all_chunked(&self) -> Statement {
        Statement::new(
            "SELECT name FROM uploads WHERE account_id = ?1 AND target IS NULL AND instr(name, '/') = 0 \
               AND expires_at > ?2 ORDER BY name LIMIT ?3",
            [self.account.into(), self.now.into(), MOST_LISTED.into()],
        )
    }

    /// What `find_all_chunked` has read.
    pub fn all_chunked(&self, rows: Option<&Rows>) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        let names: Vec<Name> = rows.map(Rows::parse).transpose()?.unwrap_or_default();
        Ok(names.into_iter().map(|row| row.name).collect())
    }

    /// Sets the length of an upload that was begun without one. One round trip.
    pub async fn set_total(&self, upload: &ChunkedUpload, total: i64) -> Result<()> {
        let set = Statement::new(
            "UPDATE uploads SET total = ?2 WHERE id = ?1 AND total IS NULL",
            [upload.id.into(), total.into()],
        );
        self.database.batch(vec![set]).await.map(|_| ())
    }

    /// Appends what was stored to an upload: 409 where more has come since `upload` was read. One round trip.
    pub async fn append(&self, upload: &ChunkedUpload, stored: &Content) -> Result<ChunkedUpload> {
        let Some(part) = stored.parts.first() else { return Ok(upload.clone()) };
        let unchanged = Statement::new(
            "INSERT INTO guard SELECT 'upload' \
             WHERE ?2 <> (SELECT coalesce(sum(size), 0) FROM chunks WHERE upload_id = ?1)",
            [upload.id.into(), upload.received.into()],
        );
        let mut batch = vec![unchanged];
        batch.extend(self.chunk_statements(upload, &upload.received.to_string(), upload.received, part));
        self.database.batch(batch).await?;
        Ok(ChunkedUpload {
            received: upload.received + part.size,
            chunks: upload.chunks + 1,
            digests: stored.digests.filter(|_| upload.chunks == 0),
            ..upload.clone()
        })
    }

    /// Adds a chunk, which takes the place of one of the same name, and tells what has come then. One round trip.
    pub async fn add_chunk(
        &self,
        upload: &ChunkedUpload,
        name: &str,
        number: i64,
        part: &Part,
    ) -> Result<ChunkedUpload> {
        let mut batch = self.chunk_statements(upload, name, number, part);
        batch.push(Statement::new(format!("{UPLOAD} WHERE u.id = ?1 GROUP BY u.id"), [upload.id.into()]));
        let results = self.database.batch(batch).await?;
        self.chunked_upload(results.last())
    }

    fn chunk_statements(&self, upload: &ChunkedUpload, name: &str, number: i64, part: &Part) -> Vec<Statement> {
        let key = part.blob_key.as_str();
        vec![
            Statement::new(
                "INSERT INTO guard SELECT 'gone' WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE id = ?1)",
                [upload.id.into()],
            ),
            Statement::new(
                "INSERT INTO guard SELECT 'upload' \
                 WHERE NOT EXISTS (SELECT 1 FROM blob_garbage WHERE blob_key = ?1 AND NOT given_up)",
                [key.into()],
            ),
            Statement::new("DELETE FROM chunks WHERE upload_id = ?1 AND name = ?2", [upload.id.into(), name.into()]),
            Statement::new(
                "INSERT INTO chunks (upload_id, name, number, blob_key, size, wrapped_key, created_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                [
                    upload.id.into(),
                    name.into(),
                    number.into(),
                    key.into(),
                    part.size.into(),
                    part.wrapped_key.as_str().into(),
                    self.now.into(),
                ],
            ),
            Statement::new("DELETE FROM blob_garbage WHERE blob_key = ?1", [key.into()]),
        ]
    }

    /// The chunks that have come, in their order. One round trip.
    pub async fn chunks(&self, upload: &ChunkedUpload) -> Result<Vec<Chunk>> {
        let statement = Statement::new(
            "SELECT name, size, created_at FROM chunks WHERE upload_id = ?1 ORDER BY number, name",
            [upload.id.into()],
        );
        let results = self.database.batch(vec![statement]).await?;
        Ok(results.first().map(Rows::parse).transpose()?.unwrap_or_default())
    }

    /// Gives up an upload and what has come of it. One round trip.
    pub async fn abandon_chunked(&self, upload: &ChunkedUpload) -> Result<()> {
        let delete = Statement::new("DELETE FROM uploads WHERE id = ?1", [upload.id.into()]);
        self.database.batch(vec![delete]).await.map(|_| ())
    }

    /// Makes a content of the chunks of these uploads, one upload after the other and each in its order, and gives it to
    /// the name of `place`. That ends the uploads; those of TUS can still be asked for. The number of chunks must still be
    /// that of `uploads`. `also` belongs to the same batch. One round trip; no blob is touched.
    pub async fn link_chunks(
        &self,
        place: &Place,
        uploads: &[ChunkedUpload],
        av: AvStatus,
        link: &Link,
        also: Option<Statement>,
    ) -> Result<Linked> {
        let id = self.ports.random_hex(16);
        let ids = json!(uploads.iter().map(|upload| upload.id).collect::<Vec<_>>()).to_string();
        let chunks: i64 = uploads.iter().map(|upload| upload.chunks).sum();
        let size = uploads.iter().map(|upload| upload.received).sum();
        let digests = if let [upload] = uploads { upload.digests } else { None };
        let content = Content { size, digests, parts: Vec::new(), av, scanner_error: None };
        let mut batch = self.guards_of_link(place);
        batch.push(Statement::new(
            "INSERT INTO guard SELECT 'upload' WHERE (?2, ?3) IS NOT \
             (SELECT count(*), coalesce(sum(c.size), 0) FROM json_each(?1) u CROSS JOIN chunks c \
               WHERE c.upload_id = u.value) \
             OR EXISTS (SELECT 1 FROM json_each(?1) u WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE id = u.value))",
            [ids.as_str().into(), chunks.into(), size.into()],
        ));
        batch.extend(self.insert_content(&id, &content)?);
        batch.extend(self.insert_media(&id, place, link, content.size));
        batch.push(Statement::new(
            "INSERT INTO parts (content_id, seq, blob_key, size, wrapped_key) \
             SELECT ?1, row_number() OVER (ORDER BY u.key, c.number, c.name) - 1, c.blob_key, c.size, c.wrapped_key \
             FROM json_each(?2) u CROSS JOIN chunks c WHERE c.upload_id = u.value",
            [id.as_str().into(), ids.as_str().into()],
        ));
        let which = "IN (SELECT value FROM json_each(?1))";
        batch.extend(
            [
                format!("DELETE FROM chunks WHERE upload_id {which}"),
                // Of TUS alone, whose clients ask how far an upload is when they were not told.
                format!("UPDATE uploads SET linked = 1 WHERE target IS NOT NULL AND id {which}"),
                format!("DELETE FROM uploads WHERE target IS NULL AND id {which}"),
            ]
            .map(|sql| Statement::new(sql, [ids.as_str().into()])),
        );
        batch.extend(also);
        self.give(batch, place, &id, content.size, link, Vec::new()).await
    }
}
