//! Plaintext in, sealed segments out: the bytes of a new blob.

use async_trait::async_trait;
use bytes::Bytes;

use super::pieces::Pieces;
use super::segments::{SEGMENT_LENGTH, nonce};
use crate::ports::{ByteSource, ContentHasher, CryptoError, SegmentCipher, StreamError};

/// What is known of the length of a plaintext before it is read, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// It was announced, and is held to that.
    Exactly(u64),
    /// It was not, and may not be more than that (the quota that is left).
    AtMost(u64),
}

/// Seals a plaintext while it streams, counts it and hashes it. Yields one sealed segment a call,
/// `sealed_length(plain_length())` bytes in all; for an empty plaintext, none.
///
/// More plaintext than `Length` allows is `StreamError::TooLong`, as soon as it has come; less
/// than was announced is `StreamError::Truncated`. Both come before the last segment, so that what
/// was yielded until then does not pass for a whole blob.
pub struct SealingSource<'a> {
    plain: Counted<'a>,
    pieces: Pieces,
    cipher: &'a dyn SegmentCipher,
    hasher: &'a mut dyn ContentHasher,
    number: u64,
    finished: bool,
}

impl<'a> SealingSource<'a> {
    /// Seals `plain` under the key of `cipher`, which seals nothing else. `hasher` may have
    /// taken earlier parts of the same content already.
    pub fn new(
        plain: &'a mut dyn ByteSource,
        length: Length,
        cipher: &'a dyn SegmentCipher,
        hasher: &'a mut dyn ContentHasher,
    ) -> Self {
        let plain = Counted { source: plain, length, count: 0 };
        Self { plain, pieces: Pieces::default(), cipher, hasher, number: 0, finished: false }
    }

    /// The bytes of plaintext that were read so far; after the end, all of them.
    pub fn plain_length(&self) -> u64 {
        self.plain.count
    }

    async fn seal_next(&mut self) -> Result<Option<Bytes>, StreamError> {
        let segment = self.pieces.take(&mut self.plain, SEGMENT_LENGTH).await?;
        if segment.is_empty() {
            return Ok(None);
        }
        // A full segment may be the last one: only the source's end tells.
        let last = self.pieces.ended(&mut self.plain).await?;
        self.hasher.update(&segment).await.map_err(failed)?;
        let sealed = self.cipher.seal(nonce(self.number, last), segment).await.map_err(failed)?;
        self.number += 1;
        self.finished = last;
        Ok(Some(sealed))
    }
}

fn failed(error: CryptoError) -> StreamError {
    StreamError::Io(format!("sealing: {error}"))
}

#[async_trait(?Send)]
impl ByteSource for SealingSource<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.finished {
            return Ok(None);
        }
        let sealed = self.seal_next().await;
        self.finished |= !matches!(sealed, Ok(Some(_)));
        sealed
    }
}

/// A source that is held to its length.
struct Counted<'a> {
    source: &'a mut dyn ByteSource,
    length: Length,
    count: u64,
}

#[async_trait(?Send)]
impl ByteSource for Counted<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        let Some(chunk) = self.source.next().await? else { return self.at_end() };
        self.count = self.count.saturating_add(chunk.len() as u64);
        let (Length::Exactly(most) | Length::AtMost(most)) = self.length;
        if self.count > most { Err(StreamError::TooLong) } else { Ok(Some(chunk)) }
    }
}

impl Counted<'_> {
    fn at_end(&self) -> Result<Option<Bytes>, StreamError> {
        match self.length {
            Length::Exactly(announced) if self.count < announced => {
                Err(StreamError::Truncated(format!("{} of {announced} bytes came", self.count)))
            }
            _ => Ok(None),
        }
    }
}
