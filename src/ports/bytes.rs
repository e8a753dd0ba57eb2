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

/// All of a source, which gives exactly `length` bytes, in memory.
pub async fn collect(source: &mut dyn ByteSource, length: u64) -> Result<Bytes, StreamError> {
    let mut all = BytesMut::with_capacity(usize::try_from(length).map_err(|_| StreamError::TooLong)?);
    let mut exact = Exactly::new(source, length);
    while let Some(piece) = exact.next().await? {
        all.extend_from_slice(&piece);
    }
    Ok(all.freeze())
}

/// A source that fails unless it gives exactly the announced number of bytes.
///
/// The last piece is held back until the source has said that none follows: a reader that knows
/// the length would be content with it, and the source may still have something to say.
pub struct Exactly<'a> {
    source: &'a mut dyn ByteSource,
    missing: u64,
    held: Option<Bytes>,
    finished: bool,
}

impl<'a> Exactly<'a> {
    /// The `length` bytes of `source`.
    pub fn new(source: &'a mut dyn ByteSource, length: u64) -> Self {
        Self { source, missing: length, held: None, finished: false }
    }

    /// Whether all bytes were given out, and the source has ended as it should.
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Fetches one piece, and gives the one before it.
    async fn advance(&mut self) -> Result<Option<Bytes>, StreamError> {
        let Some(piece) = self.source.next().await? else {
            if self.missing > 0 {
                return Err(StreamError::Truncated(format!("{} bytes are missing", self.missing)));
            }
            self.finished = true;
            return Ok(self.held.take());
        };
        self.missing = self.missing.checked_sub(piece.len() as u64).ok_or(StreamError::TooLong)?;
        Ok(self.held.replace(piece))
    }
}

#[async_trait(?Send)]
impl ByteSource for Exactly<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        while !self.finished {
            if let Some(piece) = self.advance().await? {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pieces: &[&'static str]) -> Chunks {
        Chunks::new(pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())))
    }

    #[tokio::test]
    async fn exactly_the_announced_bytes_pass() {
        for pieces in [&[][..], &["abc"], &["a", "b", "c"]] {
            let length = pieces.concat().len() as u64;
            let mut bytes = source(pieces);
            let mut exact = Exactly::new(&mut bytes, length);
            assert_eq!(read_at_most(&mut exact, 10).await.unwrap(), pieces.concat());
            assert!(exact.is_finished());
            assert_eq!(exact.next().await, Ok(None));
        }
    }

    #[tokio::test]
    async fn no_reader_is_content_with_bytes_of_another_number() {
        let truncated = collect(&mut source(&["ab", "c"]), 4).await;
        assert!(matches!(truncated, Err(StreamError::Truncated(_))), "{truncated:?}");
        for length in [0, 1, 2] {
            let mut bytes = source(&["ab", "c"]);
            let mut exact = Exactly::new(&mut bytes, length);
            let mut given = 0;
            let end = loop {
                match exact.next().await {
                    Ok(Some(piece)) => given += piece.len() as u64,
                    other => break other,
                }
            };
            assert_eq!(end, Err(StreamError::TooLong));
            assert!(given < length.max(1), "{given} of {length} bytes were given before the error");
            assert!(!exact.is_finished());
        }
    }
}
