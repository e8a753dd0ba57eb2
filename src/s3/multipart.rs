//! `CreateMultipartUpload` and what follows.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, header};
use rusty_s3::actions::{CompleteMultipartUploadResponse, CreateMultipartUpload};

use super::client::Client;
use super::failure::{Failure, texts, unreadable};
use crate::ports::{BlobError, MultipartUpload, Payload};

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
        let is_unclear = Cell::new(false);
        let created = client
            .repeat(|| async {
                let created = create(&client, key).await;
                is_unclear.set(is_unclear.get() || matches!(created, Err(Failure::NoAnswer(_) | Failure::TimedOut)));
                created
            })
            .await;
        // One was perhaps begun whose id is lost.
        if is_unclear.get()
            && let Err(error) = abort_others(&client, key, created.as_deref().ok()).await
        {
            log::warn!("a multipart upload may stay open: {error}");
        }
        let id = created.map_err(|failure| failure.of("CreateMultipartUpload", key))?;
        Ok(Self { client, key: key.to_owned(), id, etags: Vec::new() })
    }

    async fn try_append(&self, number: u16, part: Bytes) -> Result<String, Failure> {
        let client = &self.client;
        let action = client.bucket().upload_part(Some(client.credentials()), &self.key, number, &self.id);
        let request = client.request(Method::PUT, &action).map(|()| part);
        let answer = client.call(request).await?;
        let etag = answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        client.text(answer).await?;
        etag.ok_or_else(unreadable)
    }

    async fn try_complete(&self) -> Result<(), Failure> {
        let client = &self.client;
        let etags = self.etags.iter().map(String::as_str);
        let action = client.bucket().complete_multipart_upload(Some(client.credentials()), &self.key, &self.id, etags);
        let request = client.request(Method::POST, &action).map(|()| Bytes::from(action.body()));
        client
            .repeat(|| async {
                let document = client.attempt(request.clone().map(Payload::Bytes), None).await;
                let document = client.text(document?).await?;
                // A store may find only after it has sent the status that it cannot put the parts together.
                CompleteMultipartUploadResponse::parse(&document).map(|_| ()).map_err(|_| unreadable())
            })
            .await
    }
}

/// Begins an upload and gives its id.
async fn create(client: &Client, key: &str) -> Result<String, Failure> {
    let action = client.bucket().create_multipart_upload(Some(client.credentials()), key);
    let request = client.request(Method::POST, &action).map(|()| Payload::Bytes(Bytes::new()));
    let created = match client.attempt(request, None).await {
        Ok(answer) => client.text(answer).await,
        Err(failure) => Err(failure),
    };
    created.and_then(|document| {
        CreateMultipartUpload::parse_response(&document)
            .map(|created| created.upload_id().to_owned())
            .map_err(|_| unreadable())
    })
}

/// Aborts the uploads of a key that are open, whatever their ids. Keys are used once.
pub async fn abandon(client: &Client, key: &str) -> Result<(), BlobError> {
    abort_others(client, key, None).await
}

async fn abort_others(client: &Client, key: &str, own: Option<&str>) -> Result<(), BlobError> {
    let request = client.list_uploads(key).map(|()| Bytes::new());
    let listed = client.call_for_text(request).await.map_err(|failure| failure.of("ListMultipartUploads", key))?;
    for id in texts(&listed, "UploadId").iter().filter(|id| own != Some(id.as_str())) {
        abort(client, key, id).await?;
    }
    Ok(())
}

async fn abort(client: &Client, key: &str, id: &str) -> Result<(), BlobError> {
    let action = client.bucket().abort_multipart_upload(Some(client.credentials()), key, id);
    let request = client.request(Method::DELETE, &action).map(|()| Bytes::new());
    match client.call(request).await {
        // A repeated abort finds nothing any more.
        Err(failure) if !failure.is("NoSuchUpload") => Err(failure.of("AbortMultipartUpload", key)),
        _ => Ok(()),
    }
}

#[async_trait(?Send)]
impl MultipartUpload for S3Upload {
    async fn append(&mut self, part: Bytes) -> Result<(), BlobError> {
        let number = u16::try_from(self.etags.len() + 1).ok().filter(|number| *number <= MOST_PARTS);
        let number = number.ok_or_else(|| BlobError::Unavailable("UploadPart: too many parts".to_owned()))?;
        let etag = self.try_append(number, part).await.map_err(|failure| failure.of("UploadPart", &self.key))?;
        self.etags.push(etag);
        Ok(())
    }

    /// When this fails, the parts are thrown away.
    async fn complete(self: Box<Self>) -> Result<(), BlobError> {
        let completed = self.try_complete().await;
        if completed.is_err()
            && let Err(error) = abort(&self.client, &self.key, &self.id).await
        {
            log::warn!("a multipart upload stays open: {error}");
        }
        completed.map_err(|failure| failure.of("CompleteMultipartUpload", &self.key))
    }

    async fn abort(self: Box<Self>) -> Result<(), BlobError> {
        abort(&self.client, &self.key, &self.id).await
    }
}
