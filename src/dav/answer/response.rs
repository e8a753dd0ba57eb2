//! Answers without a body, and with a document.

use http::{HeaderValue, Response, StatusCode, header};

use crate::body::Body;

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// An answer of that status with a document. Sync clients compare the media type to the letter.
pub fn xml_answer(status: StatusCode, document: Body) -> Response<Body> {
    let mut response = Response::new(document);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
