//! Sealed segments in, plaintext out: a range of a stored blob.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use super::pieces::Pieces;
use super::segments::{SEGMENT, nonce, within};
use crate::ports::{ByteSource, CryptoError, SEGMENT_TAG, SegmentCipher, StreamError};

/// Opens the segments that hold a range of a blob's plaintext. Yields the range, one segment or
/// what is wanted of it a call, and no byte that was not authenticated. A segment that does not
/// open is `StreamError::Corrupt`, a blob that ends too early `StreamError::Truncated`; both name
/// the blob.
pub struct OpeningSource {
    sealed: Box<dyn ByteSource>,
    pieces: Pieces,
    cipher: Box<dyn SegmentCipher>,
    blob_key: String,
    plain_total: u64,
    /// What is still to be yielded; it begins in the next segment.
    wanted: Range<u64>,
}

impl OpeningSource {
    /// Opens the bytes `plain_range` of a blob whose plaintext is `plain_total` long. `sealed`
    /// holds the bytes that `sealed_range` names; `blob_key` is the name for messages.
    pub fn new(
        blob_key: String,
        plain_range: Range<u64>,
        plain_total: u64,
        sealed: Box<dyn ByteSource>,
        cipher: Box<dyn SegmentCipher>,
    ) -> Self {
        let wanted = within(plain_range, plain_total);
        Self { sealed, pieces: Pieces::default(), cipher, blob_key, plain_total, wanted }
    }

    async fn open_next(&mut self) -> Result<Bytes, StreamError> {
        let number = self.wanted.start / SEGMENT;
        let start = number * SEGMENT;
        let end = self.plain_total.min(start.saturating_add(SEGMENT));
        let length = in_segment(end - start);

        let sealed = self.pieces.take(&mut *self.sealed, length + SEGMENT_TAG).await?;
        if sealed.len() < length + SEGMENT_TAG {
            return Err(StreamError::Truncated(format!("blob {} in segment {number}", self.blob_key)));
        }
        let opened = self.cipher.open(nonce(number, end == self.plain_total), sealed).await;
        let plain = opened.map_err(|error| self.failure(number, error))?;
        if plain.len() != length {
            return Err(self.failure(number, CryptoError::Failed));
        }

        let from = in_segment(self.wanted.start - start);
        let to = in_segment(self.wanted.end.min(end) - start);
        self.wanted.start = end;
        Ok(plain.slice(from..to))
    }

    fn failure(&self, number: u64, error: CryptoError) -> StreamError {
        let message = format!("blob {}, segment {number}: {error}", self.blob_key);
        match error {
            CryptoError::Tag => StreamError::Corrupt(message),
            CryptoError::Failed => StreamError::Io(message),
        }
    }
}

/// A length within one segment.
fn in_segment(length: u64) -> usize {
    debug_assert!(length <= SEGMENT);
    #[expect(clippy::cast_possible_truncation, reason = "256 KiB at most")]
    let length = length as usize;
    length
}

#[async_trait(?Send)]
impl ByteSource for OpeningSource {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.wanted.is_empty() {
            return Ok(None);
        }
        let plain = self.open_next().await;
        if plain.is_err() {
            self.wanted = 0..0;
        }
        plain.map(Some)
    }
}
