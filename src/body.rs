//! The bodies of requests and responses.

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{ByteSource, Chunks, StreamError};

/// What the core takes from and gives to a runtime's HTTP server.
pub struct Body {
    /// The number of bytes, where it is known before they are read.
    pub length: Option<u64>,
    source: Box<dyn ByteSource>,
    /// What was read and not yet given.
    rest: Bytes,
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// The bytes of `source`, which are `length` in number where that is known. An adapter that
    /// sends them breaks the connection off when the source fails.
    pub fn stream(length: Option<u64>, source: Box<dyn ByteSource>) -> Self {
        Self { length, source, rest: Bytes::new() }
    }

    /// The next piece, of at most `most` bytes, at least 1.
    pub async fn next_at_most(&mut self, most: usize) -> Result<Option<Bytes>, StreamError> {
        let Some(mut piece) = self.next().await? else { return Ok(None) };
        if piece.len() > most {
            self.rest = piece.split_off(most);
        }
        Ok(Some(piece))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::stream(Some(bytes.len() as u64), Box::new(Chunks::new([bytes])))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

#[async_trait(?Send)]
impl ByteSource for Body {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.rest.is_empty() { self.source.next().await } else { Ok(Some(std::mem::take(&mut self.rest))) }
    }
}
