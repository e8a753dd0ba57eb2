//! The core's responses as WASI takes them.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::spawn;

use super::request::Leftover;
use super::source::{SendError, Sender, nothing_follows};
use crate::body::Body;
use crate::ports::{ByteSource, Exactly, StreamError};

/// Bytes of an answer that go before what is left of the request is read away. They have room in the buffers on the way even
/// if the client reads nothing before it has sent everything; with more, each side might wait for the other.
const AHEAD: usize = 64 * 1024;

/// Marks the answer to a HEAD request: it tells the length of a body and has none.
#[derive(Clone, Copy)]
pub struct ToHead;

/// The response. Its body is sent by a task that outlives this call, and keeps `leftover` of the request's until then.
pub fn outgoing(response: http::Response<Body>, leftover: Leftover) -> Result<Response, ErrorCode> {
    let (mut parts, body) = response.into_parts();
    let bodiless = parts.extensions.get::<ToHead>().is_some()
        || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let Some(length) = body.length.filter(|_| !bodiless) {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    let fields = fields(&parts.headers)?;
    let (response, _sent) = if bodiless || body.length == Some(0) {
        Response::new(fields, None, nothing_follows())
    } else {
        let (sender, stream, end) = Sender::new();
        spawn(send(sender, body, leftover));
        Response::new(fields, Some(stream), end)
    };
    // The core's statuses are valid.
    let _ = response.set_status_code(parts.status.as_u16());
    Ok(response)
}

async fn send(sender: Sender, mut body: Body, leftover: Leftover) {
    let sent = match body.length {
        Some(length) => sender.send(&mut Answer::new(&mut Exactly::new(&mut body, length), leftover)).await,
        None => sender.send(&mut Answer::new(&mut body, leftover)).await,
    };
    match sent {
        Ok(()) | Err(SendError::Reader) => {}
        Err(SendError::Source(error)) => log::error!("a response broke off: {error}"),
    }
}

/// The bytes of an answer, which lets go of what is left of the request behind the first of them, or at its own end.
struct Answer<'a> {
    source: &'a mut dyn ByteSource,
    /// The first piece's part behind `AHEAD`.
    held: Bytes,
    ahead: usize,
    leftover: Option<Leftover>,
}

impl<'a> Answer<'a> {
    fn new(source: &'a mut dyn ByteSource, leftover: Leftover) -> Self {
        Self { source, held: Bytes::new(), ahead: AHEAD, leftover: Some(leftover) }
    }
}

#[async_trait(?Send)]
impl ByteSource for Answer<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        if self.ahead == 0 {
            self.leftover = None;
        }
        if !self.held.is_empty() {
            return Ok(Some(std::mem::take(&mut self.held)));
        }
        let Some(mut piece) = self.source.next().await? else { return Ok(None) };
        if self.leftover.is_some() && piece.len() > self.ahead {
            self.held = piece.split_off(self.ahead);
        }
        self.ahead = self.ahead.saturating_sub(piece.len());
        Ok(Some(piece))
    }
}

/// The headers as WASI has them.
pub fn fields(headers: &http::HeaderMap) -> Result<Fields, ErrorCode> {
    let entries: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    Fields::from_list(&entries).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}
