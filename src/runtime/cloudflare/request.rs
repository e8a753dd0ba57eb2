//! Workers' requests as the core takes them.

use http::{HeaderName, HeaderValue, Method, Uri, header};
use js_sys::Array;
use wasm_bindgen::JsCast;

use super::source::StreamSource;
use crate::body::Body;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError};

/// Bytes of a body that are read at once.
const PIECE: u32 = 256 * 1024;

/// Bytes of a body that are read away at most: more than Cloudflare lets through on most plans.
const DRAINED: usize = 128 * 1024 * 1024;

/// The request, whose body is not read before the core asks for it.
pub fn incoming(request: &web_sys::Request) -> Result<http::Request<Body>> {
    let method =
        Method::from_bytes(request.method().as_bytes()).map_err(|_| Error::bad("the method is not a token"))?;
    let uri = Uri::try_from(request.url()).map_err(|_| Error::bad("the URL is not valid"))?;
    let mut incoming = http::Request::new(Body::empty());
    *incoming.method_mut() = method;
    *incoming.uri_mut() = uri;
    for entry in request.headers().entries() {
        let entry: Array = entry.map_err(|_| Error::internal("the headers cannot be read"))?.unchecked_into();
        let (name, value) =
            (entry.get(0).as_string().unwrap_or_default(), entry.get(1).as_string().unwrap_or_default());
        let name = HeaderName::try_from(name).map_err(|_| Error::bad("a header's name is not valid"))?;
        let value = HeaderValue::try_from(value).map_err(|_| Error::bad("a header's value is not valid"))?;
        incoming.headers_mut().append(name, value);
    }
    if let Some(stream) = request.body() {
        let length = content_length(&incoming);
        let source = StreamSource::new(stream, length, PIECE, StreamError::Truncated);
        *incoming.body_mut() = Body::stream(length, Box::new(source));
    }
    Ok(incoming)
}

/// Reads away what the core left of a body that it began to read. workerd closes a connection on
/// which bytes are waiting, and the client might lose the answer. A body that was not begun is
/// left to workerd and Cloudflare's edge, but for that of a GET: the answer may be longer than all
/// buffers, and a client that reads nothing before it has sent everything would wait for ever.
pub async fn drain(request: &web_sys::Request) {
    let is_drained = request.body_used() || request.method() == "GET";
    let Some(stream) = request.body().filter(|_| is_drained) else { return };
    let mut rest = StreamSource::new(stream, None, PIECE / 4, StreamError::Truncated);
    let mut drained = 0;
    while drained < DRAINED
        && let Ok(Some(bytes)) = rest.next().await
    {
        drained += bytes.len();
    }
}

/// What the client announced. workerd has checked that it is a number, and holds it to it.
fn content_length(request: &http::Request<Body>) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
