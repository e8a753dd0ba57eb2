//! Object storage by the S3 API, over the runtime's HTTP client: the port `Blobs` for any runtime.
//!
//! - `settings`: where the bucket is and who may use it
//! - `client`: one call: signed, sent, waited for, sent again where that helps
//! - `failure`: what a store answers instead, and what that means
//! - `upload`, `multipart`, `download`: the operations with bytes
//! - `list`: the keys
//!
//! Requests are signed in their URLs (Signature Version 4, "query parameters") and payloads are
//! not: they are sealed already, so the store need not see them twice. A signed URL is a password
//! for some minutes; it is in no message and no log.

mod client;
mod download;
mod failure;
mod list;
mod multipart;
mod settings;
#[cfg(test)]
mod tests;
mod upload;

use std::ops::Range;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::HeaderName;
use http::{Method, Request};
use rusty_s3::actions::{DeleteObjectsResponse, ObjectIdentifier};

use self::client::Client;
use self::download::Download;
use self::failure::Failure;
use self::multipart::S3Upload;
pub use self::settings::{Settings, SettingsError};
use crate::ports::{BlobError, Blobs, ByteSource, Clock, Http, MultipartUpload, Random};

/// A bucket in an S3-compatible store.
pub struct S3(Rc<Client>);

impl S3 {
    /// The bucket of `settings`.
    pub fn new(settings: Settings, http: Rc<dyn Http>, clock: Rc<dyn Clock>, random: Rc<dyn Random>) -> Self {
        Self(Rc::new(Client::new(settings, http, clock, random)))
    }
}

#[async_trait(?Send)]
impl Blobs for S3 {
    async fn put(&self, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
        upload::put(&self.0, key, length, source).await
    }

    async fn put_bytes(&self, key: &str, bytes: Bytes) -> Result<(), BlobError> {
        upload::put_bytes(&self.0, key, bytes).await
    }

    async fn create_multipart(&self, key: &str) -> Result<Box<dyn MultipartUpload>, BlobError> {
        Ok(Box::new(S3Upload::create(Rc::clone(&self.0), key).await?))
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn ByteSource>, BlobError> {
        Ok(Box::new(Download::open(Rc::clone(&self.0), key, range).await?))
    }

    async fn abandon(&self, key: &str) -> Result<(), BlobError> {
        multipart::abandon(&self.0, key).await
    }

    /// `DeleteObjects`: keys that do not exist count as deleted there, too.
    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        if keys.is_empty() {
            return Ok(());
        }
        let objects: Vec<ObjectIdentifier> = keys.iter().cloned().map(ObjectIdentifier::new).collect();
        let mut action = self.0.bucket().delete_objects(Some(self.0.credentials()), objects.iter());
        action.set_quiet(true);
        let request = self.0.request(Method::POST, &action);
        let (body, md5) = action.body_with_md5();
        let mut request: Request<Bytes> = request.map(|()| body.into());
        if let Ok(md5) = md5.try_into() {
            request.headers_mut().insert(HeaderName::from_static("content-md5"), md5);
        }
        let failed = |failure: Failure| failure.of("DeleteObjects", "");
        let answer = self.0.call_for_text(request).await.map_err(failed)?;
        let deleted = DeleteObjectsResponse::parse(&answer).map_err(|_| failed(failure::unreadable()))?;
        match deleted.errors.first() {
            Some(error) => Err(BlobError::Unavailable(format!("DeleteObjects: {} for one key", error.code))),
            None => Ok(()),
        }
    }

    async fn list(&self, after: &str, limit: usize) -> Result<Vec<String>, BlobError> {
        list::list(&self.0, after, limit).await
    }
}
