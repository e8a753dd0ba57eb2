//! What TUS answers with.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use super::headers::CHECKSUMS;
use super::protocol::{EXTENSIONS, RESUMABLE, VERSION};
use crate::body::Body;
use crate::context::Context;
use crate::date::http_date;
use crate::resource::global_id;
use crate::store::{ChunkedUpload, Linked};
use crate::transfer::etag_header;

/// What the server can (OPTIONS).
pub fn options() -> Response<Body> {
    let mut response = answer(StatusCode::NO_CONTENT);
    add_capabilities(response.headers_mut());
    response
}

/// The headers by which clients know what the server can.
pub fn add_capabilities(headers: &mut HeaderMap) {
    for (name, value) in [
        ("tus-resumable", VERSION),
        ("tus-version", VERSION),
        ("tus-extension", EXTENSIONS),
        ("tus-checksum-algorithm", CHECKSUMS),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
}

/// Adds what every answer to a client of TUS says, whatever became of its request: the version that is spoken here, and to a
/// client of another one all that are (TUS 1.0.0, "Tus-Resumable" and "Tus-Version").
pub fn add_version(cx: &Context<'_>, headers: &mut HeaderMap) {
    headers.insert(HeaderName::from_static("tus-resumable"), HeaderValue::from_static(VERSION));
    if cx.header(RESUMABLE) != Some(VERSION) {
        headers.insert(HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION));
    }
}

/// An answer that tells how far an upload is, and which file it has made.
pub fn progress(status: StatusCode, upload: &ChunkedUpload, linked: Option<&Linked>) -> Response<Body> {
    if let Some(linked) = linked {
        return made(status, upload.received, linked);
    }
    let mut response = at_offset(status, upload.received);
    if let Ok(expires) = HeaderValue::try_from(http_date(upload.expires_at)) {
        response.headers_mut().insert(HeaderName::from_static("upload-expires"), expires);
    }
    response
}

/// An answer that tells of a file that an upload of so many bytes has made.
pub fn made(status: StatusCode, size: i64, linked: &Linked) -> Response<Body> {
    let mut response = at_offset(status, size);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag_header(&linked.etag));
    headers.insert(HeaderName::from_static("oc-etag"), etag_header(&linked.etag));
    // As sync clients know it; the number is the file's id in REST.
    if let Ok(id) = HeaderValue::try_from(global_id(linked.id)) {
        headers.insert(HeaderName::from_static("oc-fileid"), id);
    }
    response
}

fn at_offset(status: StatusCode, offset: i64) -> Response<Body> {
    let mut response = answer(status);
    response.headers_mut().insert(HeaderName::from_static("upload-offset"), HeaderValue::from(offset));
    response
}

/// An answer without a body.
pub fn answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
