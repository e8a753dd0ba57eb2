//! `GetObject`, taken up again where it broke off: objects never change.

use std::fmt::Display;
use std::ops::Range;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};

use super::client::{Answer, Client};
use super::failure::unreadable;
use crate::ports::{BlobError, ByteSource, StreamError};

const OPERATION: &str = "GetObject";

/// How often in a row a download may break off without having brought a byte.
const MOST_BREAKS: u32 = 3;

/// The bytes of a range of an object.
pub struct Download {
    client: Rc<Client>,
    key: String,
    /// What is still to come.
    range: Range<u64>,
    body: Option<Box<dyn ByteSource>>,
    breaks: u32,
}

impl Download {
    /// Begins to read `range` (not empty) of the object `key`.
    pub async fn open(client: Rc<Client>, key: &str, range: Range<u64>) -> Result<Self, BlobError> {
        let mut download = Self { client, key: key.to_owned(), range, body: None, breaks: 0 };
        download.body = Some(download.request().await?);
        Ok(download)
    }

    async fn request(&self) -> Result<Box<dyn ByteSource>, BlobError> {
        let action = self.client.bucket().get_object(Some(self.client.credentials()), &self.key);
        let mut request: Request<Bytes> = self.client.request(Method::GET, &action).map(|()| Bytes::new());
        let range = format!("bytes={}-{}", self.range.start, self.range.end - 1);
        request.headers_mut().insert(header::RANGE, HeaderValue::try_from(range).map_err(|_| self.unreadable())?);
        let answer = self.client.call(request).await.map_err(|failure| failure.of(OPERATION, &self.key))?;
        self.check(&answer)?;
        Ok(answer.into_body())
    }

    /// The answer must be the range that was asked for; of a shorter object it is less.
    fn check(&self, answer: &Answer) -> Result<(), BlobError> {
        let range = answer.headers().get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let range = range.filter(|_| answer.status() == StatusCode::PARTIAL_CONTENT);
        let (given, _) = range.and_then(|range| range.split_once('/')).ok_or_else(|| self.unreadable())?;
        let asked = format!("bytes {}-{}", self.range.start, self.range.end - 1);
        if given == asked { Ok(()) } else { Err(BlobError::Missing(self.key.clone())) }
    }

    fn unreadable(&self) -> BlobError {
        unreadable().of(OPERATION, &self.key)
    }

    /// The next piece, of a new answer if need be; an error when it broke off.
    async fn read(&mut self) -> Result<Bytes, StreamError> {
        let broken = |why: &dyn Display| StreamError::Io(format!("{OPERATION}: {why}"));
        let mut body = match self.body.take() {
            Some(body) => body,
            None => self.request().await.map_err(|error| StreamError::Io(error.to_string()))?,
        };
        let read = self.client.patiently(body.next(), None).await;
        self.body = Some(body);
        let piece = read.map_err(|failure| broken(&failure))?.map_err(|error| broken(&error))?;
        piece.ok_or_else(|| broken(&"the answer is too short"))
    }
}

#[async_trait(?Send)]
impl ByteSource for Download {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        while !self.range.is_empty() {
            match self.read().await {
                Ok(mut piece) => {
                    piece.truncate(usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX));
                    self.range.start += piece.len() as u64;
                    self.breaks = 0;
                    return Ok(Some(piece));
                }
                Err(error) if self.body.is_none() || self.breaks == MOST_BREAKS => {
                    self.range.start = self.range.end;
                    return Err(error);
                }
                Err(_) => {
                    self.body = None;
                    self.client.pause(self.breaks).await;
                    self.breaks += 1;
                }
            }
        }
        self.body = None;
        Ok(None)
    }
}
