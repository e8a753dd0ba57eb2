//! The form of an upload: multipart/form-data (RFC 7578) with one field `file`.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, header};
use multer::{Field, Multipart};
use send_wrapper::SendWrapper;

use crate::body::Body;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError};

/// What a form has around its file at most: the rest of its length is the file's.
const OVERHEAD: u64 = 64 * 1024;

/// Bytes that multer may take while it looks for the next field: it keeps a header in memory until
/// that ends, and has no limit of its own.
const BETWEEN_FIELDS: u64 = 1024 * 1024;

/// A form that is being read.
pub struct Form {
    multipart: Multipart<'static>,
    length: u64,
    /// Bytes that may still be taken; counted down only between fields.
    allowed: Rc<Cell<u64>>,
}

/// The form's file.
pub struct FileField {
    /// Its name.
    pub name: String,
    /// The media type that the client declares.
    pub mime: Option<String>,
    /// Its bytes.
    pub source: FieldSource,
}

/// The bytes of a field.
pub struct FieldSource(Field<'static>);

impl Form {
    /// Begins to read: 415 where the body is no form.
    pub fn open(headers: &HeaderMap, body: Body) -> Result<Self> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(content_type).map_err(|_| Error::UnsupportedMediaType)?;
        let length = body.length.unwrap_or(0);
        let allowed = Rc::new(Cell::new(BETWEEN_FIELDS));
        let pieces = stream::unfold((body, Rc::clone(&allowed)), async |(mut body, allowed)| {
            let piece = take(&mut body, &allowed).await.transpose()?;
            Some((piece, (body, allowed)))
        });
        // The wrapper gives multer the `Send` that it asks for; everything here runs on one thread.
        let multipart = Multipart::new(SendWrapper::new(pieces), boundary);
        Ok(Self { multipart, length, allowed })
    }

    /// Bytes that the file has at least, going by the length of the whole form.
    pub fn least_file_length(&self) -> u64 {
        self.length.saturating_sub(OVERHEAD)
    }

    /// The field `file`: 422 where there is none, or it has no file name.
    pub async fn file(&mut self) -> Result<FileField> {
        while let Some(field) = self.multipart.next_field().await.map_err(|error| malformed(&error))? {
            if field.name() != Some("file") {
                continue;
            }
            let name = file_name(&field)?;
            let mime = field.content_type().map(ToString::to_string);
            self.allowed.set(u64::MAX);
            return Ok(FileField { name, mime, source: FieldSource(field) });
        }
        Err(Error::Unprocessable("the form has no field called file".to_owned()))
    }

    /// Reads the form to its end: one that breaks off is 400.
    pub async fn finish(mut self) -> Result<()> {
        self.allowed.set(BETWEEN_FIELDS);
        while self.multipart.next_field().await.map_err(|error| malformed(&error))?.is_some() {}
        Ok(())
    }
}

#[async_trait(?Send)]
impl ByteSource for FieldSource {
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

/// The name of the file: 422 where it has none, 400 where it is not UTF-8, which multer passes over.
fn file_name(field: &Field<'_>) -> Result<String> {
    if let Some(name) = field.file_name() {
        return Ok(name.to_owned());
    }
    let disposition = field.headers().get(header::CONTENT_DISPOSITION).map(HeaderValue::as_bytes).unwrap_or_default();
    if std::str::from_utf8(disposition).is_err() {
        return Err(Error::bad("the name of the file is not UTF-8"));
    }
    Err(Error::Unprocessable("the file has no name".to_owned()))
}

fn malformed(error: &multer::Error) -> Error {
    Error::bad(format!("the form is malformed: {error}"))
}
