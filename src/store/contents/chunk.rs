//! Uploads that come in chunks: each chunk stays the blob that it arrived as, and the end only links them.

use serde::Deserialize;
use serde_json::json;

use super::content::{Content, Link, Linked};
use crate::error::{Error, Limit, Result};
use crate::ports::{Digests, Millis, Rows, Statement};
use crate::store::door::address::Credentials;
use crate::store::door::closing::{MOST_PIECES, Touched};
use crate::store::door::commit::Place;
use crate::store::door::drive::Drive;
use crate::store::door::view::View;
use crate::store::ground::content_info::{AvStatus, Part};

/// How long an upload may take from its beginning to its end.
const UPLOAD_TIME: Millis = 24 * 3_600_000;

/// Uploads that a listing names.
const MOST_LISTED: i64 = 1_000;

/// Columns of a `ChunkedUpload`.
const UPLOAD: &str = "u.id, u.total, u.target, u.expires_at, u.linked, u.received, u.pieces, u.revision";

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
    pub pieces: i64,
    /// Where the file is to be, for TUS, which says so at the beginning: JSON.
    pub target: Option<String>,
    /// When what has come is thrown away.
    pub expires_at: Millis,
    linked: i64,
    revision: i64,
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

impl Drive {
    /// A name for an upload that its client gives none.
    pub fn new_chunked_name(&self) -> String {
        self.ports.random_hex(16)
    }

    /// Reads the uploads of these names that the token has begun, for a batch of `View`; `chunked_uploads` reads the answer.
    /// Another token's are as good as not there.
    pub fn find_chunked(&self, credentials: &Credentials, names: &[&str]) -> Statement {
        Statement::read(
            format!(
                "SELECT {UPLOAD} FROM tokens t CROSS JOIN json_each(?3) j \
                   CROSS JOIN uploads u ON u.token_id = t.id AND u.name = j.value \
                 WHERE t.hash = ?1 AND t.account_id = ?2 ORDER BY j.key"
            ),
            [credentials.hash.as_str().into(), self.account.into(), json!(names).to_string().into()],
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

    /// Reads the names of the uploads under way that the token's client has named, for a batch of `View`; `all_chunked`
    /// reads the answer.
    pub fn find_all_chunked(&self, credentials: &Credentials) -> Statement {
        Statement::read(
            "SELECT u.name FROM tokens t CROSS JOIN uploads u ON u.token_id = t.id \
             WHERE t.hash = ?1 AND t.account_id = ?2 AND u.target IS NULL AND instr(u.name, '/') = 0 \
               AND u.expires_at > ?3 ORDER BY u.name LIMIT ?4",
            [credentials.hash.as_str().into(), self.account.into(), self.now.into(), MOST_LISTED.into()],
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

    /// The chunks that have come, in their order. One round trip.
    pub async fn chunks(&self, upload: &ChunkedUpload) -> Result<Vec<Chunk>> {
        let statement = Statement::read(
            "SELECT name, size, created_at FROM chunks WHERE upload_id = ?1 ORDER BY number",
            [upload.id.into()],
        );
        let results = self.query(vec![statement]).await?;
        results.all(0)
    }
}

impl View {
    /// Begins an upload of that name, which is the caller's token's: 405 where it has one. One round trip.
    pub async fn begin_chunked(&self, name: &str, total: Option<i64>, target: Option<String>) -> Result<ChunkedUpload> {
        let begin = Statement::write(
            format!(
                "INSERT INTO uploads (account_id, token_id, name, total, created_at, expires_at, target) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING RETURNING {}",
                // A RETURNING knows no other name of its table.
                UPLOAD.replace("u.", "")
            ),
            [
                self.account.into(),
                self.caller.token_id.into(),
                name.into(),
                total.into(),
                self.now.into(),
                (self.now + UPLOAD_TIME).into(),
                target.into(),
            ],
        );
        let results = self.commit(vec![begin], &Touched::nothing()).await?;
        let upload = results.one(0)?;
        upload.ok_or(Error::AlreadyExists("PROPFIND, PUT, MOVE, DELETE"))
    }

    /// Notes an upload that needed no bytes of its own, its file being made of others, for the batch of `link_chunks`.
    pub fn note_linked(&self, name: &str, total: i64, target: &str) -> Statement {
        Statement::write(
            "INSERT INTO uploads (account_id, token_id, name, total, received, created_at, expires_at, target, linked) \
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, 1)",
            [
                self.account.into(),
                self.caller.token_id.into(),
                name.into(),
                total.into(),
                self.now.into(),
                (self.now + UPLOAD_TIME).into(),
                target.into(),
            ],
        )
    }

    /// Sets the length of an upload that was begun without one. One round trip.
    pub async fn set_total(&self, upload: &ChunkedUpload, total: i64) -> Result<()> {
        let set = Statement::write(
            "UPDATE uploads SET total = ?2 WHERE id = ?1 AND total IS NULL",
            [upload.id.into(), total.into()],
        );
        self.commit(vec![set], &Touched::nothing()).await.map(|_| ())
    }

    /// Appends what was stored to an upload: 409 where anything has become of it since it was read. One round trip.
    pub async fn append(&self, upload: &ChunkedUpload, stored: &Content) -> Result<ChunkedUpload> {
        let Some(part) = stored.parts.first() else { return Ok(upload.clone()) };
        let mut batch = vec![self.guard_uploads(std::slice::from_ref(upload))];
        batch.extend(self.chunk_statements(upload, &upload.received.to_string(), upload.received, part));
        self.commit(batch, &Touched::upload(upload.id)).await?;
        Ok(ChunkedUpload {
            received: upload.received + part.size,
            pieces: upload.pieces + 1,
            revision: upload.revision + 1,
            digests: stored.digests.filter(|_| upload.pieces == 0),
            ..upload.clone()
        })
    }

    /// Adds a chunk, which takes the place of one of the same number, and tells what has come then. One round trip.
    pub async fn add_chunk(
        &self,
        upload: &ChunkedUpload,
        name: &str,
        number: i64,
        part: &Part,
    ) -> Result<ChunkedUpload> {
        let mut batch = self.chunk_statements(upload, name, number, part);
        batch.push(Statement::read(format!("SELECT {UPLOAD} FROM uploads u WHERE u.id = ?1"), [upload.id.into()]));
        let results = self.commit(batch, &Touched::upload(upload.id)).await?;
        self.chunked_upload(results.last())
    }

    fn chunk_statements(&self, upload: &ChunkedUpload, name: &str, number: i64, part: &Part) -> Vec<Statement> {
        let key = part.blob_key.as_str();
        vec![
            Statement::write(
                "INSERT INTO guard SELECT 'gone' WHERE NOT EXISTS (SELECT 1 FROM uploads \
                   WHERE id = ?1 AND token_id = ?2 AND NOT linked)",
                [upload.id.into(), self.caller.token_id.into()],
            ),
            Statement::write(
                "INSERT INTO guard SELECT 'upload' \
                 WHERE NOT EXISTS (SELECT 1 FROM blob_garbage WHERE blob_key = ?1 AND NOT given_up)",
                [key.into()],
            ),
            // Of one number there is one, however its name is written.
            Statement::write(
                "DELETE FROM chunks WHERE upload_id = ?1 AND number = ?2",
                [upload.id.into(), number.into()],
            ),
            Statement::write(
                "INSERT INTO chunks (upload_id, name, number, blob_key, size, wrapped_key, created_at, account_id) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                [
                    upload.id.into(),
                    name.into(),
                    number.into(),
                    key.into(),
                    part.size.into(),
                    part.wrapped_key.as_str().into(),
                    self.now.into(),
                    self.account.into(),
                ],
            ),
            Statement::write("DELETE FROM blob_garbage WHERE blob_key = ?1", [key.into()]),
        ]
    }

    /// The uploads are the caller's, as they were read, and no file is made of them yet.
    fn guard_uploads(&self, uploads: &[ChunkedUpload]) -> Statement {
        let seen: Vec<[i64; 2]> = uploads.iter().map(|upload| [upload.id, upload.revision]).collect();
        Statement::write(
            "INSERT INTO guard SELECT 'upload' FROM json_each(?1) seen WHERE NOT EXISTS (SELECT 1 FROM uploads \
               WHERE id = seen.value ->> 0 AND revision = seen.value ->> 1 AND token_id = ?2 AND NOT linked)",
            [json!(seen).to_string().into(), self.caller.token_id.into()],
        )
    }

    /// Gives up an upload and what has come of it: 404 where it came to its end first. One round trip.
    pub async fn abandon_chunked(&self, upload: &ChunkedUpload) -> Result<()> {
        let delete = Statement::write(
            "DELETE FROM uploads WHERE id = ?1 AND token_id = ?2 RETURNING id",
            [upload.id.into(), self.caller.token_id.into()],
        );
        let results = self.commit(vec![delete], &Touched::nothing()).await?;
        let is_deleted = results.first().is_some_and(|rows| !rows.is_empty());
        if is_deleted { Ok(()) } else { Err(Error::NotFound("the upload")) }
    }

    /// Makes a content of the chunks of these uploads, one upload after the other and each in its order, and gives it to
    /// the name of `place`. That ends the uploads; those of TUS can still be asked for. `also` belongs to the same batch. 507
    /// where they are too many pieces for one content. One round trip; no blob is touched.
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
        if uploads.iter().map(|upload| upload.pieces).sum::<i64>() > MOST_PIECES {
            return Err(Error::Limit(Limit::Pieces));
        }
        let size = uploads.iter().map(|upload| upload.received).sum();
        let digests = if let [upload] = uploads { upload.digests } else { None };
        let content = Content { size, digests, parts: Vec::new(), av, scanner_error: None };
        let mut batch = self.guards_of_link(place);
        batch.push(self.guard_uploads(uploads));
        batch.extend(self.insert_content(&id, &content, link)?);
        batch.extend(self.insert_media(&id, place, link, content.size));
        batch.push(Statement::write(
            "INSERT INTO parts (content_id, seq, blob_key, size, wrapped_key) \
             SELECT ?1, row_number() OVER (ORDER BY u.key, c.number) - 1, c.blob_key, c.size, c.wrapped_key \
             FROM json_each(?2) u CROSS JOIN chunks c WHERE c.upload_id = u.value",
            [id.as_str().into(), ids.as_str().into()],
        ));
        let which = "id IN (SELECT value FROM json_each(?1))";
        batch.extend(
            [
                // Of TUS alone, whose clients ask how far an upload is when they were not told.
                format!("UPDATE uploads SET linked = 1, revision = revision + 1 WHERE target IS NOT NULL AND {which}"),
                format!("DELETE FROM chunks WHERE upload_{which}"),
                format!("DELETE FROM uploads WHERE target IS NULL AND {which}"),
            ]
            .map(|sql| Statement::write(sql, [ids.as_str().into()])),
        );
        batch.extend(also);
        self.give(batch, place, &id, content.size, link, Vec::new()).await
    }
}
