//! `GET /api/v1/openapi.json`: this interface, described for machines (`OpenAPI` 3.1).

use http::{HeaderValue, Response, header};

use crate::body::Body;
use crate::error::Result;

/// The document. It is a file, so that it can be read and checked as such.
pub fn show() -> Result<Response<Body>> {
    let mut response = Response::new(Body::from(include_str!("openapi.json").to_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}
