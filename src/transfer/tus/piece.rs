//! A body that is stored in pieces.

use async_trait::async_trait;
use bytes::Bytes;

use crate::body::Body;
use crate::ports::{ByteSource, StreamError};

/// Part of a source, up to so many bytes.
pub struct Piece<'a> {
    source: &'a mut Body,
    left: u64,
    ended: bool,
}

impl<'a> Piece<'a> {
    /// The next bytes of a body, at most so many.
    pub fn of(source: &'a mut Body, most: u64) -> Self {
        Self { source, left: most, ended: false }
    }

    /// Whether the body has come to its end.
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

#[async_trait(?Send)]
impl ByteSource for Piece<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.left == 0 || self.ended {
            return Ok(None);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let piece = self.source.next_at_most(most).await?;
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        self.ended = piece.is_none();
        Ok(piece)
    }
}
