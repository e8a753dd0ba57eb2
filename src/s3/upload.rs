//! `PutObject`.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request};

use super::client::{Client, Progress};
use crate::ports::{BlobError, ByteSource, Exactly, Payload, StreamError, collect};

/// Objects up to this length are held in memory, and so can be sent again.
const SMALL: u64 = 1024 * 1024;

/// Stores exactly `length` bytes of `source`.
pub async fn put(client: &Client, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
    let action = client.bucket().put_object(Some(client.credentials()), key);
    if length <= SMALL {
        let bytes = collect(source, length).await?;
        client.call_for_text("PutObject", client.request(Method::PUT, &action).map(|()| bytes)).await?;
        return Ok(());
    }
    put_stream(client, client.request(Method::PUT, &action), key, length, source).await
}

async fn put_stream(
    client: &Client,
    request: Request<()>,
    key: &str,
    length: u64,
    source: &mut dyn ByteSource,
) -> Result<(), BlobError> {
    let progress = Progress::default();
    let mut exact = Exactly::new(source, length);
    let mut watched = Watched { source: &mut exact, progress: &progress };
    let request = request.map(|()| Payload::Stream(length, &mut watched));
    let answer = client.attempt(request, &progress).await.map_err(|failure| failure.of("PutObject", key))?;
    client.text("PutObject", answer).await?;
    if exact.is_finished() {
        Ok(())
    } else {
        Err(BlobError::Unavailable("PutObject: the store answered before it had all bytes".to_owned()))
    }
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
