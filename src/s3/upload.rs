//! `PutObject`.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, header};

use super::client::{Client, Progress};
use super::failure::{Failure, unreadable};
use crate::ports::{BlobError, ByteSource, Exactly, Payload, StreamError, collect};

const OPERATION: &str = "PutObject";

/// Objects up to this length are held in memory, and so can be sent again.
const SMALL: u64 = 1024 * 1024;

/// Stores exactly `length` bytes of `source`.
pub async fn put(client: &Client, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
    if length <= SMALL {
        return put_bytes(client, key, collect(source, length).await?).await;
    }
    let progress = Progress::default();
    let mut exact = Exactly::new(source, length);
    let mut watched = Watched { source: &mut exact, progress: &progress };
    let request = request(client, key).map(|()| Payload::Stream(length, &mut watched));
    let stored = send(client, request, Some(&progress)).await;
    stored.map_err(|failure| failure.of(OPERATION, key))?;
    if exact.is_finished() {
        Ok(())
    } else {
        Err(BlobError::Unavailable(format!("{OPERATION}: the store answered before it had all bytes")))
    }
}

/// Stores bytes that can be sent again.
pub async fn put_bytes(client: &Client, key: &str, bytes: Bytes) -> Result<(), BlobError> {
    let request = request(client, key).map(|()| bytes);
    let stored = client.repeat(|| send(client, request.clone().map(Payload::Bytes), None)).await;
    stored.map_err(|failure| failure.of(OPERATION, key))
}

async fn send(client: &Client, request: Request<Payload<'_>>, progress: Option<&Progress>) -> Result<(), Failure> {
    let answer = client.attempt(request, progress).await?;
    // S3 names an entity tag. What answers without one is something else, and has stored nothing.
    let is_s3 = answer.headers().contains_key(header::ETAG);
    client.text(answer).await?;
    if is_s3 { Ok(()) } else { Err(unreadable()) }
}

fn request(client: &Client, key: &str) -> Request<()> {
    client.request(Method::PUT, &client.bucket().put_object(Some(client.credentials()), key))
}

/// A source that tells how far it has got.
struct Watched<'a, 'b> {
    source: &'a mut Exactly<'b>,
    progress: &'a Progress,
}

#[async_trait(?Send)]
impl ByteSource for Watched<'_, '_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        self.progress.asking.set(true);
        let piece = self.source.next().await;
        self.progress.asking.set(false);
        self.progress.handed.set(self.progress.handed.get() + 1);
        piece
    }
}
