//! Bytes that arrive piece by piece: request bodies, blobs, response bodies.

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

/// Why a stream of bytes broke off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The sender vanished or sent less than it had announced.
    #[error("the stream ended before its time: {0}")]
    Truncated(String),
    /// What was read is not what was written (a sealed segment that does not open).
    #[error("the data is corrupt: {0}")]
    Corrupt(String),
    /// More came than the reader allows.
    #[error("the stream is longer than allowed")]
    TooLong,
    /// The transport or the store failed.
    #[error("the stream failed: {0}")]
    Io(String),
}

/// A stream of bytes that is pulled: nothing is read before it is asked for, so that a slow
/// reader holds back a fast writer.
#[async_trait(?Send)]
pub trait ByteSource {
    /// The next piece, never empty; `None` at the end, and again on every call after it.
    /// After an error the source is finished.
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError>;
}

/// A source over pieces that are in memory already.
pub struct Chunks(std::collections::VecDeque<Bytes>);

impl Chunks {
    /// Yields `chunks` in order; empty ones are passed over.
    pub fn new(chunks: impl IntoIterator<Item = Bytes>) -> Self {
        Self(chunks.into_iter().filter(|chunk| !chunk.is_empty()).collect())
    }
}

#[async_trait(?Send)]
impl ByteSource for Chunks {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        Ok(self.0.pop_front())
    }
}

/// Reads a whole source into memory, up to `limit` bytes; more is `StreamError::TooLong`.
pub async fn read_at_most(source: &mut dyn ByteSource, limit: usize) -> Result<Bytes, StreamError> {
    let mut all = BytesMut::new();
    while let Some(chunk) = source.next().await? {
        if all.len() + chunk.len() > limit {
            return Err(StreamError::TooLong);
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all.freeze())
}
