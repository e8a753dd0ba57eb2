//! How TUS is told from other requests, and what of it is spoken here.

use http::{HeaderMap, Method};

use crate::context::Context;

/// The version of the protocol.
pub const VERSION: &str = "1.0.0";
/// The header that says which version a client speaks.
pub const RESUMABLE: &str = "tus-resumable";
pub const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,checksum,concatenation,termination,expiration";

/// The path of an upload, without its name.
pub const UPLOADS: &str = "/api/v1/uploads/";

/// Whether a request speaks TUS.
pub fn is_tus(headers: &HeaderMap) -> bool {
    headers.contains_key(RESUMABLE)
}

/// Whether a request speaks TUS, or should, since nothing else is spoken at its path.
pub fn is_meant(cx: &Context<'_>) -> bool {
    is_tus(&cx.headers) || format!("{}/", cx.uri.path()).starts_with(UPLOADS)
}

/// The method that a POST stands for, by a client that cannot send another one (TUS 1.0.0, "X-HTTP-Method-Override").
pub fn method<'c>(cx: &'c Context<'_>) -> Option<&'c str> {
    let method = cx.header("x-http-method-override").filter(|_| cx.method == Method::POST)?;
    Some(if method == "HEAD" { "GET" } else { method })
}
