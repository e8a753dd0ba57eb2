//! The form of an upload: multipart/form-data (RFC 7578) with one field `file`.

mod form_data;

use http::{HeaderMap, header};

use self::form_data::FormData;
use crate::body::Body;
use crate::error::{Error, Result};
use crate::transfer::{MultipartReader, PartReader};

/// What a form has around its file at most: the rest of its length is the file's.
const OVERHEAD: u64 = 64 * 1024;

/// A form that is being read.
pub struct Form {
    parts: MultipartReader,
    length: u64,
}

/// The form's file.
pub struct FileField {
    /// Its name.
    pub name: String,
    /// The media type that the client declares.
    pub mime: Option<String>,
    /// Its bytes.
    pub source: PartReader,
}

impl Form {
    /// Begins to read: 415 where the body is no form.
    pub fn open(headers: &HeaderMap, body: Body) -> Result<Self> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(content_type).map_err(|_| Error::UnsupportedMediaType)?;
        let length = body.length.unwrap_or(0);
        Ok(Self { parts: MultipartReader::open(boundary, body), length })
    }

    /// Bytes that the file has at least, going by the length of the whole form.
    pub fn least_file_length(&self) -> u64 {
        self.length.saturating_sub(OVERHEAD)
    }

    /// The field `file`: 422 where there is none, or it has no file name.
    pub async fn file(&mut self) -> Result<FileField> {
        while let Some(field) = self.parts.next_part().await? {
            let disposition = FormData::of(&field);
            if disposition.name.as_deref() != Some(b"file") {
                continue;
            }
            let name = disposition.file_name()?;
            let mime = field.headers().get(header::CONTENT_TYPE).and_then(|mime| mime.to_str().ok());
            let mime = mime.map(ToOwned::to_owned);
            self.parts.within_part();
            return Ok(FileField { name, mime, source: field });
        }
        Err(Error::Unprocessable("the form has no field called file".to_owned()))
    }

    /// Reads the form to its end: one that breaks off is 400, one with another file 422.
    pub async fn finish(mut self) -> Result<()> {
        self.parts.between_parts();
        while let Some(field) = self.parts.next_part().await? {
            if FormData::of(&field).name.as_deref() == Some(b"file") {
                return Err(Error::Unprocessable("the form has two fields called file, and one is stored".to_owned()));
            }
        }
        Ok(())
    }
}
