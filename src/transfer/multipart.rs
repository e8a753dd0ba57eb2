//! Multipart bodies (RFC 2046, 5.1), read part by part while they come.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::HeaderMap;
use multer::{Field, Multipart};
use send_wrapper::SendWrapper;

use crate::body::Body;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError};

/// Bytes that multer may take while it looks for the next part: it keeps a header in memory until that ends, and has no
/// limit of its own.
const BETWEEN_PARTS: u64 = 1024 * 1024;

/// A multipart body that is being read.
pub struct MultipartReader {
    multipart: Multipart<'static>,
    /// Bytes that may still be taken.
    allowed: Rc<Cell<u64>>,
}

/// One of its parts, which is to be dropped before the next is read.
pub struct PartReader(Field<'static>);

impl MultipartReader {
    /// Begins to read a body with that boundary.
    pub fn open(boundary: String, body: Body) -> Self {
        let allowed = Rc::new(Cell::new(BETWEEN_PARTS));
        let pieces = stream::unfold((body, Rc::clone(&allowed)), async |(mut body, allowed)| {
            let piece = take(&mut body, &allowed).await.transpose()?;
            Some((piece, (body, allowed)))
        });
        // The wrapper gives multer the `Send` that it asks for; everything here runs on one thread.
        Self { multipart: Multipart::new(SendWrapper::new(pieces), boundary), allowed }
    }

    /// The next part; what is left of the one before is read away. 400 for a body that is malformed or breaks off.
    pub async fn next_part(&mut self) -> Result<Option<PartReader>> {
        let field = self.multipart.next_field().await;
        field.map(|field| field.map(PartReader)).map_err(|error| Error::bad(format!("the form is malformed: {error}")))
    }

    /// From now on, a part is read: its length is its reader's concern.
    pub fn within_part(&self) {
        self.allowed.set(u64::MAX);
    }

    /// From now on, parts are passed over: 1 MiB in all.
    pub fn between_parts(&self) {
        self.allowed.set(BETWEEN_PARTS);
    }
}

impl PartReader {
    /// The headers of the part.
    pub fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }
}

#[async_trait(?Send)]
impl ByteSource for PartReader {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        loop {
            match self.0.chunk().await {
                Ok(Some(chunk)) if chunk.is_empty() => {}
                Ok(chunk) => return Ok(chunk),
                Err(error) => return Err(StreamError::Truncated(error.to_string())),
            }
        }
    }
}

/// The next piece, unless more than `allowed` came.
async fn take(body: &mut Body, allowed: &Cell<u64>) -> Result<Option<Bytes>, StreamError> {
    let piece = body.next().await?;
    let length = piece.as_ref().map_or(0, |piece| piece.len() as u64);
    let left = allowed.get().checked_sub(length).ok_or(StreamError::TooLong)?;
    allowed.set(left);
    Ok(piece)
}
