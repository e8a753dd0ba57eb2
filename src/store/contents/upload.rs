//! Bytes on their way into a content. A blob is recorded as garbage before its first byte is
//! stored, and ceases to be garbage in the batch that links it: whatever happens between, nothing
//! is lost and nothing is left behind.

use bytes::{Bytes, BytesMut};

use super::content::Content;
use crate::crypto::{Length, MasterKeys, SealingSource, blob_aad, sealed_length};
use crate::error::{Error, Result};
use crate::ports::{Blobs, ByteSource, MOST_IN_ONE_PUT, Millis, MultipartUpload, Statement, StreamError};
use crate::store::door::address::Credentials;
use crate::store::door::drive::{Drive, Record};
use crate::store::ground::content_info::{AvStatus, Part};

/// How long an upload may take before its blob is collected.
const UPLOAD_TIME: Millis = 24 * 3_600_000;

/// Sealed segments in a part of a multipart upload: 8 MiB, in memory while it is gathered.
const SEGMENTS_IN_PART: usize = 32;

/// A blob that is about to be stored.
#[derive(Debug, Clone)]
pub struct Upload {
    blob_key: String,
}

impl Drive {
    /// Chooses the key of a blob; nothing is stored or recorded yet.
    pub fn new_upload(&self) -> Upload {
        Upload { blob_key: format!("{}/{}", self.account, self.ports.random_hex(20)) }
    }

    /// The statement that records the blob, for a caller who may write: it goes with the batch
    /// that resolves the request's path.
    pub fn record_upload(&self, credentials: &Credentials, upload: &Upload) -> Record {
        Record(Statement::write(
            "INSERT INTO blob_garbage (blob_key, due_at, uploaded) SELECT ?3, ?4, 1 FROM tokens \
             WHERE hash = ?1 AND account_id = ?2 AND instr(scopes, 'write') AND coalesce(expires_at > ?5, 1)",
            [
                credentials.hash.as_str().into(),
                self.account.into(),
                upload.blob_key.as_str().into(),
                (self.now + UPLOAD_TIME).into(),
                self.now.into(),
            ],
        ))
    }

    /// What came of linking a content. Where it was refused, its blob is thrown away: nobody will link it any more.
    pub async fn or_discard<T>(&self, content: &Content, outcome: Result<T>) -> Result<T> {
        if outcome.as_ref().is_err_and(Error::is_refusal) {
            self.discard(content).await;
        }
        outcome
    }

    /// Throws a blob that was stored away; where that fails, the collector does it later.
    pub async fn discard(&self, content: &Content) {
        let keys: Vec<_> = content.parts.iter().map(|part| part.blob_key.clone()).collect();
        let row = "DELETE FROM blob_garbage WHERE blob_key IN (SELECT value FROM json_each(?1))";
        let forget = Statement::write(row, [serde_json::json!(keys).to_string().into()]);
        let deleted = self.ports.blobs.delete(&keys).await.map_err(Error::from);
        let outcome = match deleted {
            Ok(()) => self.note(vec![Record(forget)]).await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            log::warn!("a blob was not thrown away at once: {error}");
        }
    }

    /// Seals `source` and stores it as one blob. `length` is the announced number of bytes, if
    /// any; `available` what the quota has left, if there is one. When the source breaks off or
    /// is not as long as announced, nothing is stored.
    pub async fn store(
        &self,
        keys: &MasterKeys,
        upload: Upload,
        source: &mut dyn ByteSource,
        length: Option<u64>,
        available: Option<i64>,
    ) -> Result<Content> {
        let mut key = [0; 32];
        let mut nonce = [0; 12];
        self.ports.random.fill(&mut key);
        self.ports.random.fill(&mut nonce);
        let cipher = self.ports.crypto.cipher(&key).await?;
        let mut hasher = self.ports.crypto.hasher();
        let limit = available.map_or(u64::MAX, i64::unsigned_abs);
        let bound = length.map_or(Length::AtMost(limit), Length::Exactly);

        let mut sealing = SealingSource::new(source, bound, &*cipher, &mut *hasher);
        let stored = match length {
            // An empty content has no blob, but more bytes than the announced none are an error.
            Some(0) => sealing.next().await.map(|_| ()).map_err(Error::from),
            Some(length) if sealed_length(length) <= MOST_IN_ONE_PUT => {
                let sealed = sealed_length(length);
                self.ports.blobs.put(&upload.blob_key, sealed, &mut sealing).await.map_err(Error::from)
            }
            _ => put_in_parts(&*self.ports.blobs, &upload.blob_key, &mut sealing).await,
        };
        stored.map_err(|error| match error {
            Error::TooLarge(_) if length.is_none() => Error::QuotaExceeded,
            other => other,
        })?;
        let size = i64::try_from(sealing.plain_length()).map_err(Error::internal)?;
        let digests = Some(hasher.finish().await?);
        let parts = if size == 0 {
            Vec::new()
        } else {
            let wrapped_key = keys.wrap(&key, &blob_aad(self.account, &upload.blob_key), nonce);
            vec![Part { blob_key: upload.blob_key, size, wrapped_key }]
        };
        Ok(Content { size, digests, parts, av: AvStatus::Skipped, scanner_error: None })
    }
}

/// Stores a source of unknown or enormous length: at once if it fits into one part, else as a multipart
/// upload, which is aborted when anything fails.
async fn put_in_parts(blobs: &dyn Blobs, key: &str, sealing: &mut SealingSource<'_>) -> Result<()> {
    let (first, ended) = gather(sealing).await?;
    if first.is_empty() {
        return Ok(());
    }
    if ended {
        return Ok(blobs.put_bytes(key, first).await?);
    }
    let mut multipart = blobs.create_multipart(key).await?;
    match append_all(&mut *multipart, first, sealing).await {
        Ok(()) => Ok(multipart.complete().await?),
        Err(error) => {
            if let Err(abort) = multipart.abort().await {
                log::warn!("the multipart upload of {key} was not aborted: {abort}");
            }
            Err(error)
        }
    }
}

async fn append_all(multipart: &mut dyn MultipartUpload, first: Bytes, sealing: &mut SealingSource<'_>) -> Result<()> {
    multipart.append(first).await?;
    loop {
        let (part, ended) = gather(sealing).await?;
        if !part.is_empty() {
            multipart.append(part).await?;
        }
        if ended {
            return Ok(());
        }
    }
}

/// The next part, and whether the source has ended.
async fn gather(sealing: &mut SealingSource<'_>) -> Result<(Bytes, bool), StreamError> {
    let mut part = BytesMut::new();
    for taken in 0..SEGMENTS_IN_PART {
        match sealing.next().await? {
            Some(segment) => {
                // Most uploads end with the first segment; the others fill the part.
                if taken == 1 {
                    part.reserve((SEGMENTS_IN_PART - 1) * segment.len());
                }
                part.extend_from_slice(&segment);
            }
            None => return Ok((part.freeze(), true)),
        }
    }
    Ok((part.freeze(), false))
}
