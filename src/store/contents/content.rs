//! Immutable contents, and giving one to a name.

use serde::Deserialize;

use super::checksum::Checksum;
use crate::error::Result;
use crate::ports::{Digests, Millis, Statement, Value};
use crate::store::door::closing::Touched;
use crate::store::door::commit::{Expect, Place};
use crate::store::door::drive::Drive;
use crate::store::door::query::content_json;
use crate::store::door::view::View;
use crate::store::ground::content_info::{AvStatus, ContentInfo, Part, SETTLED};
use crate::store::ground::lock::NewLock;
use crate::store::ground::node::{Node, declared_mime, json_text};
use crate::store::jobs::job::{Job, Jobs};

/// A content that was uploaded and that no name has yet.
#[derive(Debug, Clone)]
pub struct Content {
    /// Plaintext bytes.
    pub size: i64,
    /// Its digests; none while nobody has read all of it in one go.
    pub digests: Option<Digests>,
    /// Its parts in order; none for an empty content.
    pub parts: Vec<Part>,
    /// What a virus scanner said of it; while that is pending, a job is to find out.
    pub av: AvStatus,
    /// How the scanner failed to judge it while it was uploaded.
    pub scanner_error: Option<String>,
}

impl Checksum {
    /// Whether the content is what the client has sent; true where its digests are not known.
    pub fn holds(&self, content: &Content) -> bool {
        content.digests.as_ref().is_none_or(|digests| self.is_of(digests))
    }
}

/// A content as a job finds it.
#[derive(Debug, Clone, Deserialize)]
pub struct StoredContent {
    /// Plaintext bytes.
    pub size: i64,
    #[serde(deserialize_with = "json_text")]
    content: Option<ContentInfo>,
    /// What the client said that its digest is.
    expected: Option<String>,
}

impl StoredContent {
    /// Its parts, in order.
    pub fn parts(&self) -> &[Part] {
        self.content.as_ref().map(|content| content.parts.as_slice()).unwrap_or_default()
    }

    /// Whether the digests are other ones than the client said.
    pub fn is_other_than(&self, digests: &Digests) -> bool {
        let expected = self.expected.as_deref().and_then(Checksum::parse);
        expected.is_some_and(|expected| !expected.is_of(digests))
    }

    /// What a virus scanner said of it.
    pub fn av(&self) -> AvStatus {
        self.content.as_ref().map_or(AvStatus::Pending, |content| content.av)
    }
}

/// What comes with a content when a name gets it.
#[derive(Debug, Clone, Default)]
pub struct Link {
    /// The media type that the client declared.
    pub mime: Option<String>,
    /// The time of the last modification that the client declared.
    pub modified_at: Option<Millis>,
    /// When the file was made, as the client declared.
    pub created_at: Option<Millis>,
    /// What the client says that the digest of the content is.
    pub checksum: Option<Checksum>,
    /// A lock to be taken on the file in the same batch.
    pub lock: Option<NewLock>,
}

/// A name that has its content.
#[derive(Debug, Clone)]
pub struct Linked {
    /// The file's number.
    pub id: i64,
    /// Whether the name is new; else its content was replaced.
    pub created: bool,
    /// The new entity tag.
    pub etag: String,
    /// The time of its last modification.
    pub modified_at: Millis,
    /// When the file was made here.
    pub created_at: Millis,
}

impl Node {
    /// The file that `link` made at `place`.
    pub fn of_link(place: &Place, linked: &Linked, content: &Content, link: &Link) -> Self {
        let [sha1, md5, sha256, adler32] = content.digests.as_ref().map(Digests::hex).unwrap_or_default();
        Self {
            id: linked.id,
            root_of: None,
            parent_id: Some(place.parent),
            name: place.name.clone(),
            content_id: Some(String::new()),
            mime: declared_mime(link.mime.as_deref(), &place.name),
            size: content.size,
            files: 0,
            folders: 0,
            member_files: 0,
            member_folders: 0,
            etag: linked.etag.clone(),
            created_at: linked.created_at,
            modified_at: linked.modified_at,
            uploaded_at: None,
            locks: Vec::new(),
            properties: Vec::new(),
            tags: Vec::new(),
            content: Some(ContentInfo {
                sha1,
                md5,
                sha256,
                adler32,
                av: content.av,
                signature: None,
                media: None,
                mismatch: 0,
                parts: Vec::new(),
            }),
        }
    }
}

#[derive(Deserialize)]
struct LinkedRow {
    id: i64,
    created_at: Millis,
}

#[derive(Deserialize)]
struct Anything {}

impl View {
    /// Gives `content` to the name of `place`; the former content becomes a version. One round
    /// trip.
    pub async fn link(&self, place: &Place, content: &Content, link: &Link) -> Result<Linked> {
        let id = self.ports.random_hex(16);
        let mut batch = self.guards_of_link(place);
        batch.extend(link.lock.as_ref().map(|_| Drive::guard_way_to(place)));
        batch.extend(self.insert_content(&id, content, link)?);
        batch.extend(self.insert_media(&id, place, link, content.size));
        self.give(batch, place, &id, content.size, link, Vec::new()).await
    }

    /// Gives a content that exists, or that `batch` makes, to the name of `place`. `then` runs when
    /// the name has it, before versions are pruned.
    pub(in crate::store) async fn give(
        &self,
        mut batch: Vec<Statement>,
        place: &Place,
        content_id: &str,
        size: i64,
        link: &Link,
        then: Vec<Statement>,
    ) -> Result<Linked> {
        let etag = self.new_etag();
        let modified_at = link.modified_at.unwrap_or(self.now);
        let (parent, name): (Value, Value) = (place.parent.into(), place.name.as_str().into());

        let before = batch.len();
        batch.push(Statement::read(
            "SELECT 1 AS one FROM nodes WHERE parent_id = ?1 AND name = ?2",
            [parent.clone(), name.clone()],
        ));
        batch.push(self.add_to_folder(
            place.parent,
            &etag,
            place.occupant.is_none(),
            "SELECT ?6 - coalesce(sum(size), 0), count(*) = 0, 0 FROM nodes WHERE parent_id = ?1 AND name = ?5",
            [name.clone(), size.into()],
        ));
        batch.push(self.keep_version(&parent, &name, content_id));
        let upsert = batch.len();
        batch.push(Statement::write(
            format!(
                "INSERT INTO nodes (parent_id, name, content_id, mime, size, etag, created_at, modified_at, settled_at, \
                   uploaded_at) \
                 SELECT ?1, ?2, id, ?4, ?5, ?6, coalesce(?9, ?7), ?8, CASE WHEN {SETTLED} THEN ?7 END, ?7 \
                   FROM contents WHERE id = ?3 \
                 ON CONFLICT (parent_id, name) DO UPDATE SET content_id = excluded.content_id, mime = excluded.mime, \
                   size = excluded.size, etag = excluded.etag, modified_at = excluded.modified_at, uploaded_at = excluded.uploaded_at, \
                   created_at = coalesce(?9, created_at), settled_at = coalesce(settled_at, excluded.settled_at) \
                 RETURNING id, created_at"
            ),
            [
                parent.clone(),
                name.clone(),
                content_id.into(),
                declared_mime(link.mime.as_deref(), &place.name).into(),
                size.into(),
                etag.as_str().into(),
                self.now.into(),
                modified_at.into(),
                link.created_at.into(),
            ],
        ));
        batch.extend(then);
        batch.extend(self.announce_written(place));
        batch.push(self.prune_versions(&parent, &name));
        if let Some(lock) = &link.lock {
            batch.push(self.lock_made(place, lock));
        }
        let results = self.commit(batch, &Touched::member(place)).await?;
        let existed: Option<Anything> = results.one(before)?;
        let row: Option<LinkedRow> = results.one(upsert)?;
        let row = row.ok_or_else(|| crate::error::Error::internal("a linked file has no row"))?;
        Ok(Linked { id: row.id, created: existed.is_none(), etag, modified_at, created_at: row.created_at })
    }

    /// What must still hold when a name gets a content.
    pub(in crate::store) fn guards_of_link(&self, place: &Place) -> Vec<Statement> {
        let mut guards = vec![
            Drive::guard_parent(place.parent),
            Statement::write(
                "INSERT INTO guard SELECT 'exists' WHERE EXISTS \
                 (SELECT 1 FROM nodes WHERE parent_id = ?1 AND name = ?2 AND content_id IS NULL)",
                [place.parent.into(), place.name.as_str().into()],
            ),
            self.guard_locks(place),
        ];
        // Under locks it matters whether the folder gets a new member or a member a new content.
        if place.expect == Expect::Unchanged || place.was_read_under_locks() {
            guards.push(Drive::guard_occupant(place));
        }
        if place.expect == Expect::Unchanged {
            guards.extend(Drive::guard_etag(place));
        }
        guards
    }

    /// The rows of a content, and what is to be done with it; its blobs are garbage no longer.
    pub(super) fn insert_content(&self, id: &str, content: &Content, link: &Link) -> Result<Vec<Statement>> {
        let [sha1, md5, sha256, adler32] = content.digests.as_ref().map(Digests::hex).unwrap_or_default();
        let parts = serde_json::to_string(&content.parts).map_err(crate::error::Error::internal)?;
        let keys: Vec<_> = content.parts.iter().map(|part| part.blob_key.as_str()).collect();
        let keys = serde_json::json!(keys).to_string();
        // Where the digests are known, the client's was held against them already.
        let expected = link.checksum.as_ref().filter(|_| content.digests.is_none()).map(Checksum::to_string);
        let mut statements = vec![Statement::write(
            "INSERT INTO contents (id, size, sha1, md5, sha256, av, adler32, expected) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            [
                id.into(),
                content.size.into(),
                sha1.into(),
                md5.into(),
                sha256.into(),
                content.av.name().into(),
                adler32.into(),
                expected.into(),
            ],
        )];
        statements.extend((content.av == AvStatus::Pending).then(|| self.insert_scan(id)));
        statements.extend(content.scanner_error.as_ref().map(|error| self.note_scanner_failure(error)));
        if content.digests.is_none() {
            statements.push(self.insert_job("digest", id));
        }
        if content.parts.is_empty() {
            return Ok(statements);
        }
        statements.push(Statement::write(
            "INSERT INTO guard SELECT 'upload' FROM json_each(?1) k \
             WHERE NOT EXISTS (SELECT 1 FROM blob_garbage WHERE blob_key = k.value AND NOT given_up)",
            [keys.as_str().into()],
        ));
        statements.push(Statement::write(
            "INSERT INTO parts (content_id, seq, blob_key, size, wrapped_key) \
             SELECT ?1, key, value ->> 'blob_key', value ->> 'size', value ->> 'wrapped_key' FROM json_each(?2)",
            [id.into(), parts.into()],
        ));
        statements.push(Statement::write(
            "DELETE FROM blob_garbage WHERE blob_key IN (SELECT value FROM json_each(?1))",
            [keys.into()],
        ));
        Ok(statements)
    }
}

impl View {
    /// Has something done now with a content that the same batch inserts.
    pub(super) fn insert_job(&self, kind: &str, content: &str) -> Statement {
        Statement::jobs(
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) \
             VALUES (?1, ?2, 0, ?3, ?4, ?4) RETURNING 1 AS one",
            [self.account.into(), kind.into(), content.into(), self.now.into()],
        )
    }
}

impl Jobs {
    /// The content that a job is about; none if nothing names it any more. One round trip.
    pub async fn content(&self, job: &Job) -> Result<Option<StoredContent>> {
        let statement = Statement::read(
            format!(
                "SELECT t.size, t.expected, {} AS content FROM contents t WHERE t.id = ?1",
                content_json("t.id", true)
            ),
            [job.payload.as_str().into()],
        );
        let results = self.database().batch(vec![statement]).await?;
        results.one(0)
    }

    /// Records the digests of a job's content, and whether the client said another one, and ends the job. A file that had
    /// the same content before has no version of it; the versions beyond the number that is `kept` go. One round trip.
    pub async fn record_digests(&self, job: &Job, digests: &Digests, mismatch: bool, kept: i64) -> Result<()> {
        let content = job.payload.as_str();
        let compared =
            Statement::write("UPDATE contents SET mismatch = ?2 WHERE id = ?1", [content.into(), mismatch.into()]);
        let [_, _, sha256, _] = digests.hex();
        let same = Statement::write(
            "DELETE FROM versions WHERE id IN ( \
               SELECT v.id FROM nodes n CROSS JOIN versions v ON v.node_id = n.id CROSS JOIN contents c ON c.id = v.content_id \
               WHERE n.content_id = ?1 AND c.sha256 = ?2 AND v.id = (SELECT max(id) FROM versions WHERE node_id = n.id))",
            [content.into(), sha256.into()],
        );
        let beyond = Statement::write(
            "DELETE FROM versions WHERE id IN (SELECT id FROM (SELECT v.id, \
               row_number() OVER (PARTITION BY v.node_id ORDER BY v.id DESC) AS nth \
               FROM nodes n CROSS JOIN versions v ON v.node_id = n.id WHERE n.content_id = ?1) WHERE nth > ?2)",
            [content.into(), kept.into()],
        );
        self.finish(job, vec![set_digests(content, digests), compared, same, beyond]).await
    }
}

pub(super) fn set_digests(content: &str, digests: &Digests) -> Statement {
    let [sha1, md5, sha256, adler32] = digests.hex();
    Statement::write(
        "UPDATE contents SET sha1 = ?2, md5 = ?3, sha256 = ?4, adler32 = ?5 WHERE id = ?1",
        [content.into(), sha1.into(), md5.into(), sha256.into(), adler32.into()],
    )
}
