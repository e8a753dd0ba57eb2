//! `PutObject`.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};

use super::client::{Client, Progress};
use super::failure::Failure;
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
    let stored = put_stream(client, key, Payload::Stream(length, &mut watched), &progress).await;
    stored.map_err(|failure| failure.of(OPERATION, key))?;
    if exact.is_finished() {
        Ok(())
    } else {
        Err(BlobError::Unavailable(format!("{OPERATION}: the store answered before it had all bytes")))
    }
}

/// Stores bytes that can be sent again.
pub async fn put_bytes(client: &Client, key: &str, bytes: Bytes) -> Result<(), BlobError> {
    let stored = client.call_for_text(request(client, key).map(|()| bytes)).await;
    stored.map(|_| ()).map_err(|failure| failure.of(OPERATION, key))
}

async fn put_stream(client: &Client, key: &str, payload: Payload<'_>, progress: &Progress) -> Result<(), Failure> {
    let answer = client.attempt(request(client, key).map(|()| payload), Some(progress)).await?;
    client.text(answer).await.map(|_| ())
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
