//! CORS (the Fetch standard, 3.2): programs in a browser that came from other origins. Off unless `CORS_ORIGINS` names them.
//!
//! No answer allows credentials of the browser's own (cookies, a remembered password): such a program sends a token itself.

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use crate::body::Body;
use crate::config::Origins;
use crate::context::Context;

/// What such a program may do. Whether it may, its token decides.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK, \
     REPORT, SEARCH";

/// What it may read of answers, beside the few headers that every program may.
const EXPOSED: &str = "Accept-Ranges, Allow, Content-Disposition, Content-Length, Content-Range, DASL, Date, DAV, ETag, Link, \
     Location, Lock-Token, MS-Author-Via, OC-Checksum, OC-ETag, OC-FileId, Repr-Digest, Retry-After, Server-Timing, \
     Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Concat, Upload-Defer-Length, \
     Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset, WWW-Authenticate, X-Hash-Adler32, X-Hash-MD5, \
     X-Hash-SHA1, X-Hash-SHA256, X-OC-CTime, X-OC-MTime";

/// Seconds that a browser may keep the answer to a preflight.
const MAX_AGE: &str = "3600";

/// The answer to a preflight of an origin that may ask: it carries no token, so that none is asked for. None for any other
/// request.
pub fn preflight(cx: &Context<'_>) -> Option<Response<Body>> {
    let is_preflight = cx.method == Method::OPTIONS && cx.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !is_preflight || allowed(&cx.config.cors_origins, &cx.headers).is_none() {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    // All that it asks for: `*` would not comprise Authorization.
    if let Some(asked) = cx.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    Some(response)
}

/// Lets the program that asked read an answer, errors too.
pub fn add_headers(cx: &Context<'_>, headers: &mut HeaderMap) {
    let origins = &cx.config.cors_origins;
    if matches!(origins, Origins::Listed(_)) {
        // So that no cache gives one origin the answer to another.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    let Some(origin) = allowed(origins, &cx.headers) else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

/// What `Access-Control-Allow-Origin` says to the origin of the request; none where it may not ask, or is none.
fn allowed(origins: &Origins, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN).filter(|origin| origins.include(origin))?;
    Some(if *origins == Origins::Any { HeaderValue::from_static("*") } else { origin.clone() })
}
