//! Bytes that arrive in pieces of any length, taken in pieces of a wanted length.

use bytes::{Bytes, BytesMut};

use crate::ports::{ByteSource, SEGMENT_TAG, StreamError};

/// Holds what came of a source beyond the last piece that was taken.
#[derive(Default)]
pub(super) struct Pieces {
    rest: Bytes,
}

impl Pieces {
    /// The next `length` bytes of `source`; fewer only at its end. They are not copied where one
    /// chunk of the source holds them all.
    pub(super) async fn take(&mut self, source: &mut dyn ByteSource, length: usize) -> Result<Bytes, StreamError> {
        if self.ended(source).await? {
            return Ok(Bytes::new());
        }
        if self.rest.len() >= length {
            return Ok(self.rest.split_to(length));
        }
        // Room for a tag, so that a cipher which seals in place need not move the piece.
        let mut piece = BytesMut::with_capacity(length + SEGMENT_TAG);
        while piece.len() < length && !self.ended(source).await? {
            let missing = length - piece.len();
            piece.extend_from_slice(&self.rest.split_to(missing.min(self.rest.len())));
        }
        Ok(piece.freeze())
    }

    /// Whether nothing is left; to know it, this looks one chunk ahead.
    pub(super) async fn ended(&mut self, source: &mut dyn ByteSource) -> Result<bool, StreamError> {
        while self.rest.is_empty() {
            match source.next().await? {
                Some(chunk) => self.rest = chunk,
                None => return Ok(true),
            }
        }
        Ok(false)
    }
}
