//! Object storage: opaque bytes under opaque keys.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::{ByteSource, Chunks, StreamError};

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No object of that key, or it is shorter than the range.
    #[error("blob {0} is missing or too short")]
    Missing(String),
    /// The bytes to be stored broke off; nothing was stored.
    #[error(transparent)]
    Source(#[from] StreamError),
    /// The store refused or could not be reached; the message names the operation, no secret.
    #[error("object storage: {0}")]
    Unavailable(String),
}

/// The longest object that `Blobs::put` stores; a longer one is written part by part. (5 GiB on S3, a little less on R2.)
pub const MOST_IN_ONE_PUT: u64 = 4 << 30;

/// An object store. Keys are ASCII letters, digits, `/` and `-`, at most 128 bytes.
#[async_trait(?Send)]
pub trait Blobs {
    /// Stores exactly `length` bytes (1 to `MOST_IN_ONE_PUT`) of `source` under `key`, in constant memory.
    /// When the source fails, ends early or does not end at `length`, the call fails and no
    /// object of that key is visible.
    async fn put(&self, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError>;

    /// Stores `bytes` (at least one), and may try it several times, since they are all here.
    async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        self.put(key, bytes.len() as u64, &mut Chunks::new([bytes])).await
    }

    /// Begins an object whose length is not known yet.
    async fn create_multipart(&self, key: &str) -> Result<Box<dyn MultipartUpload>, BlobError>;

    /// The bytes of `range` (not empty) of the object. A missing object is an error of this call;
    /// one that is shorter than the range fails here or breaks the source off with an error.
    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn ByteSource>, BlobError>;

    /// Whether there is an object of that key.
    async fn has(&self, key: &str) -> Result<bool, BlobError> {
        match self.get(key, 0..1).await {
            Ok(_) => Ok(true),
            Err(BlobError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends what a multipart upload of the key may have left behind that was neither completed nor
    /// aborted. A store that ends such uploads by itself need do nothing.
    async fn abandon(&self, _key: &str) -> Result<(), BlobError> {
        Ok(())
    }

    /// Removes the objects; keys that do not exist are passed over. At most 1,000 keys a call.
    async fn delete(&self, keys: &[String]) -> Result<(), BlobError>;

    /// The keys of objects, in the order of their bytes, that come after `after`: at most `limit` of
    /// them (1 to 1,000), fewer only where no more come. An object that is there during the whole
    /// call is among them.
    ///
    /// Some stores order keys by the names between their slashes. Where that makes a difference, as
    /// between `a/b` and `a-b`, this fails; it passes over none.
    async fn list(&self, after: &str, limit: usize) -> Result<Vec<String>, BlobError>;
}

/// An object that is written part by part. Until `complete`, it is not visible. Dropping it
/// leaves the parts to the store's own expiry; prefer `abort`.
#[async_trait(?Send)]
pub trait MultipartUpload {
    /// Appends a part. All parts but the last have the same length, at least 5 MiB.
    async fn append(&mut self, part: Bytes) -> Result<(), BlobError>;

    /// Makes the object visible. At least one part was appended.
    async fn complete(self: Box<Self>) -> Result<(), BlobError>;

    /// Throws the parts away.
    async fn abort(self: Box<Self>) -> Result<(), BlobError>;
}
