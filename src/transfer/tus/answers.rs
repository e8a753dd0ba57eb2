//! What TUS answers with.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::{CHECKSUMS, EXTENSIONS, VERSION};
use crate::body::Body;
use crate::date::http_date;
use crate::resource::global_id;
use crate::store::{ChunkedUpload, Linked};
use crate::transfer::etag_header;

/// What the server can (OPTIONS).
pub fn options() -> Response<Body> {
    let mut response = answer(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("tus-version"), HeaderValue::from_static(VERSION));
    headers.insert(HeaderName::from_static("tus-extension"), HeaderValue::from_static(EXTENSIONS));
    headers.insert(HeaderName::from_static("tus-checksum-algorithm"), HeaderValue::from_static(CHECKSUMS));
    response
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
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("tus-resumable"), HeaderValue::from_static(VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
