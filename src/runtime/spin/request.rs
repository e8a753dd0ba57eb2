//! WASI's requests as the core takes them.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use spin_sdk::wasip3::http::types::{Request, Scheme};
use spin_sdk::wasip3::spawn;

use super::source::StreamSource;
use crate::body::Body;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, StreamError};

/// Bytes of a body that are read away at most, as on Workers.
const DRAINED: usize = 128 * 1024 * 1024;

/// The request, whose body is not read before the core asks for it. What it leaves of it is for `leftover`.
pub fn incoming(request: Request, leftover: &Leftover) -> Result<http::Request<Body>> {
    let mut incoming = http::Request::new(Body::empty());
    *incoming.method_mut() =
        Method::try_from(request.get_method()).map_err(|_| Error::bad("the method is not a token"))?;
    *incoming.uri_mut() = uri(&request)?;
    for (name, value) in request.get_headers().copy_all() {
        let name = HeaderName::try_from(name).map_err(|_| Error::bad("a header's name is not valid"))?;
        // Lines of one name are one list (RFC 9110, 5.3), as Workers give it, too.
        let value = match incoming.headers().get(&name) {
            Some(before) => [before.as_bytes(), b", ", &value].concat(),
            None => value,
        };
        let value = HeaderValue::try_from(value).map_err(|_| Error::bad("a header's value is not valid"))?;
        incoming.headers_mut().insert(name, value);
    }
    // WASI carries the host beside the headers.
    if let Some(host) = request.get_authority()
        && !incoming.headers().contains_key(header::HOST)
        && let Ok(host) = HeaderValue::try_from(host)
    {
        incoming.headers_mut().insert(header::HOST, host);
    }
    let length = length(&incoming)?;
    if length != Some(0) {
        let source = StreamSource::new(|verdict| Request::consume_body(request, verdict), StreamError::Truncated);
        *incoming.body_mut() =
            Body::stream(length, Box::new(RequestBody { source: Some(source), leftover: leftover.place() }));
    }
    Ok(incoming)
}

fn uri(request: &Request) -> Result<Uri> {
    let scheme = match request.get_scheme() {
        Some(Scheme::Https) => "https",
        _ => "http",
    };
    let path = request.get_path_with_query().unwrap_or_else(|| "/".to_owned());
    let builder =
        Uri::builder().scheme(scheme).authority(request.get_authority().unwrap_or_else(|| "drive".to_owned()));
    builder.path_and_query(path).build().map_err(|_| Error::bad("the URL is not valid"))
}

/// The number of bytes that the client announced.
fn length(request: &http::Request<Body>) -> Result<Option<u64>> {
    let Some(length) = request.headers().get(header::CONTENT_LENGTH) else { return Ok(None) };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    length.map(Some).ok_or_else(|| Error::bad("Content-Length is not a number"))
}

/// A body.
struct RequestBody {
    /// None behind the end.
    source: Option<StreamSource>,
    leftover: Weak<Place>,
}

#[async_trait(?Send)]
impl ByteSource for RequestBody {
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        let Some(source) = &mut self.source else { return Ok(None) };
        let piece = source.next().await;
        if !matches!(piece, Ok(Some(_))) {
            self.source = None;
        }
        piece
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(rest) = self.source.take() else { return };
        match self.leftover.upgrade() {
            Some(place) => place.set(Some(rest)),
            None => spawn(drain(rest)),
        }
    }
}

type Place = Cell<Option<StreamSource>>;

/// What the core leaves of a request's body. It is read away: Spin closes a connection on which bytes are waiting, and the
/// client might lose the answer. That begins when this is dropped, which is when the answer has gone: as long as a read is
/// pending, Spin sends an answer's head without waiting for its body, and the body may have to wait for the client's ACK.
#[derive(Default)]
pub struct Leftover(Rc<Place>);

impl Leftover {
    /// Where a body that is dropped puts what is left of it, as long as somebody waits for it.
    fn place(&self) -> Weak<Place> {
        Rc::downgrade(&self.0)
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if let Some(rest) = self.0.take() {
            spawn(drain(rest));
        }
    }
}

async fn drain(mut rest: StreamSource) {
    let mut drained = 0;
    while drained < DRAINED
        && let Ok(Some(bytes)) = rest.next().await
    {
        drained += bytes.len();
    }
}
