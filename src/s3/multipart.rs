//! `CreateMultipartUpload` and what follows.

use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, header};
use rusty_s3::actions::{CompleteMultipartUploadResponse, CreateMultipartUpload};

use super::client::Client;
use super::failure::unreadable;
use crate::ports::{BlobError, MultipartUpload};

/// Parts that S3 takes.
const MOST_PARTS: u16 = 10_000;

/// A multipart upload and the entity tags of the parts that it has.
pub struct S3Upload {
    client: Rc<Client>,
    key: String,
    id: String,
    etags: Vec<String>,
}

impl S3Upload {
    /// Begins an object of unknown length.
    pub async fn create(client: Rc<Client>, key: &str) -> Result<Self, BlobError> {
        let action = client.bucket().create_multipart_upload(Some(client.credentials()), key);
        let request = client.request(Method::POST, &action).map(|()| Bytes::new());
        let document = client.call_for_text("CreateMultipartUpload", request).await?;
        let created =
            CreateMultipartUpload::parse_response(&document).map_err(|_| unreadable("CreateMultipartUpload"))?;
        let id = created.upload_id().to_owned();
        Ok(Self { client, key: key.to_owned(), id, etags: Vec::new() })
    }

    async fn try_complete(&self) -> Result<(), BlobError> {
        let client = &self.client;
        let etags = self.etags.iter().map(String::as_str);
        let action = client.bucket().complete_multipart_upload(Some(client.credentials()), &self.key, &self.id, etags);
        let request = client.request(Method::POST, &action).map(|()| Bytes::from(action.body()));
        // A store may find only after it has sent the status that it cannot put the parts together.
        let document = client.call_for_text("CompleteMultipartUpload", request).await?;
        CompleteMultipartUploadResponse::parse(&document).map(|_| ()).map_err(|_| unreadable("CompleteMultipartUpload"))
    }

    async fn try_abort(&self) -> Result<(), BlobError> {
        let client = &self.client;
        let action = client.bucket().abort_multipart_upload(Some(client.credentials()), &self.key, &self.id);
        let request = client.request(Method::DELETE, &action).map(|()| Bytes::new());
        match client.call(request).await {
            // A repeated abort finds nothing any more.
            Err(failure) if !failure.is("NoSuchUpload") => Err(failure.of("AbortMultipartUpload", &self.key)),
            _ => Ok(()),
        }
    }
}

#[async_trait(?Send)]
impl MultipartUpload for S3Upload {
    async fn append(&mut self, part: Bytes) -> Result<(), BlobError> {
        let client = &self.client;
        let number = u16::try_from(self.etags.len() + 1).ok().filter(|number| *number <= MOST_PARTS);
        let number = number.ok_or_else(|| BlobError::Unavailable("UploadPart: too many parts".to_owned()))?;
        let action = client.bucket().upload_part(Some(client.credentials()), &self.key, number, &self.id);
        let answer = client.call(client.request(Method::PUT, &action).map(|()| part)).await;
        let answer = answer.map_err(|failure| failure.of("UploadPart", &self.key))?;
        let etag = answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        client.text("UploadPart", answer).await?;
        self.etags.push(etag.ok_or_else(|| unreadable("UploadPart"))?);
        Ok(())
    }

    /// When this fails, the parts are thrown away.
    async fn complete(self: Box<Self>) -> Result<(), BlobError> {
        let completed = self.try_complete().await;
        if completed.is_err()
            && let Err(error) = self.try_abort().await
        {
            log::warn!("a multipart upload stays open: {error}");
        }
        completed
    }

    async fn abort(self: Box<Self>) -> Result<(), BlobError> {
        self.try_abort().await
    }
}
