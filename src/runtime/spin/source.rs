//! A WASI stream of bytes as a `ByteSource`, and the other way round.

use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use spin_sdk::wasip3::http::types::{ErrorCode, Trailers};
use spin_sdk::wasip3::wit_bindgen::{FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter};
use spin_sdk::wasip3::{wit_future, wit_stream};

use crate::ports::{ByteSource, StreamError};

/// Bytes that are read at once, at most.
const PIECE: usize = 64 * 1024;

/// What follows the bytes of a body: trailers, which nobody here needs, or why it broke off.
type End = Result<Option<Trailers>, ErrorCode>;

/// How a stream that broke off is reported: `StreamError::Truncated` or `StreamError::Io`.
type Broken = fn(String) -> StreamError;

/// What the sender of a body waits for: whether we could use it.
pub type Verdict = FutureWriter<Result<(), ErrorCode>>;

/// The body of a message that came in.
pub struct StreamSource {
    /// The read that is under way, or comes next; none behind the end. It is kept when `next` is dropped before it is done:
    /// a read that is cancelled may lose bytes, or the news of the end, behind which another read would be a trap.
    reading: Option<Reading>,
    broken: Broken,
    /// Told when this is dropped.
    _verdict: Verdict,
}

/// A piece and what is behind it; none at the end.
type Reading = Pin<Box<dyn Future<Output = Result<Option<(Bytes, Rest)>, ErrorCode>>>>;

struct Rest {
    stream: StreamReader<u8>,
    end: FutureReader<End>,
}

impl StreamSource {
    /// Takes the body out of a message with its `consume_body`; `broken` makes the error when it
    /// ends before its time.
    pub fn new(
        consume: impl FnOnce(FutureReader<Result<(), ErrorCode>>) -> (StreamReader<u8>, FutureReader<End>),
        broken: Broken,
    ) -> Self {
        let (verdict, reader) = wit_future::new(|| Ok(()));
        let (stream, end) = consume(reader);
        Self { reading: Some(Box::pin(Rest { stream, end }.read())), broken, _verdict: verdict }
    }
}

#[async_trait(?Send)]
impl ByteSource for StreamSource {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        let Some(reading) = &mut self.reading else { return Ok(None) };
        let outcome = reading.await;
        self.reading = None;
        let Some((bytes, rest)) = outcome.map_err(|code| (self.broken)(code.to_string()))? else { return Ok(None) };
        self.reading = Some(Box::pin(rest.read()));
        Ok(Some(bytes))
    }
}

impl Rest {
    async fn read(mut self) -> Result<Option<(Bytes, Self)>, ErrorCode> {
        loop {
            let (result, bytes) = self.stream.read(Vec::with_capacity(PIECE)).await;
            if !bytes.is_empty() {
                return Ok(Some((bytes.into(), self)));
            }
            if result != StreamResult::Complete(0) {
                self.end.await?;
                return Ok(None);
            }
        }
    }
}

/// Why not everything went through.
pub enum SendError {
    /// The source failed; the reader was told.
    Source(StreamError),
    /// The reader went away.
    Reader,
}

/// The near end of a body that goes out.
pub struct Sender {
    stream: StreamWriter<u8>,
    end: FutureWriter<End>,
}

impl Sender {
    /// A body, and what sends it.
    pub fn new() -> (Self, StreamReader<u8>, FutureReader<End>) {
        let (stream, stream_reader) = wit_stream::new();
        // Told if the sender is dropped before the end, so that nobody takes the body for complete.
        let (end, end_reader) = wit_future::new(|| Err(failed("the sender is gone")));
        (Self { stream, end }, stream_reader, end_reader)
    }

    /// Sends all bytes of `source`.
    pub async fn send(mut self, source: &mut dyn ByteSource) -> Result<(), SendError> {
        loop {
            match source.next().await {
                Ok(Some(piece)) => {
                    if !self.stream.write_all(piece.into()).await.is_empty() {
                        return Err(SendError::Reader);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    // First the reason, then the end of the bytes. Whether it is heard changes nothing.
                    let _ = self.end.write(Err(failed(&error.to_string()))).await;
                    return Err(SendError::Source(error));
                }
            }
        }
        drop(self.stream);
        self.end.write(Ok(None)).await.map_err(|_| SendError::Reader)
    }
}

/// The end of a body that has no bytes.
pub fn nothing_follows() -> FutureReader<End> {
    let (_, reader) = wit_future::new(|| Ok(None));
    reader
}

fn failed(why: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(why.to_owned()))
}
