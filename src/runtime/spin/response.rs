//! The core's responses as WASI takes them.

use http::{HeaderValue, StatusCode, header};
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::spawn;

use super::source::{SendError, Sender, nothing_follows};
use crate::body::Body;
use crate::ports::Exactly;

/// Marks the answer to a HEAD request: it tells the length of a body and has none.
#[derive(Clone, Copy)]
pub struct ToHead;

/// The response. Its body is sent by a task that outlives this call.
pub fn outgoing(response: http::Response<Body>) -> Result<Response, ErrorCode> {
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
        spawn(send(sender, body));
        Response::new(fields, Some(stream), end)
    };
    // The core's statuses are valid.
    let _ = response.set_status_code(parts.status.as_u16());
    Ok(response)
}

async fn send(sender: Sender, mut body: Body) {
    let sent = match body.length {
        Some(length) => sender.send(&mut Exactly::new(&mut body, length)).await,
        None => sender.send(&mut body).await,
    };
    match sent {
        Ok(()) | Err(SendError::Reader) => {}
        Err(SendError::Source(error)) => log::error!("a response broke off: {error}"),
    }
}

/// The headers as WASI has them.
pub fn fields(headers: &http::HeaderMap) -> Result<Fields, ErrorCode> {
    let entries: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    Fields::from_list(&entries).map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
}
