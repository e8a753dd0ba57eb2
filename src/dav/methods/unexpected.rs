//! Bodies that nobody expects (RFC 4918, 8.4).

use crate::body::Body;
use crate::dav::request::Request;
use crate::dav::xml::DAV;
use crate::error::{Error, Result};
use crate::ports::ByteSource;

/// 415 for a body where the method has none that it would heed (RFC 4918, 8.4). A `propertybehavior` (RFC 2518, 12.12) may
/// come with COPY and MOVE: RFC 4918 took it away, and properties are kept here as it asks at most.
pub async fn refuse_body(request: &Request<'_>, body: &mut Body) -> Result<()> {
    match request.cx.method.as_str() {
        "DELETE" | "UNLOCK" | "MKCOL" if has_bytes(body).await? => Err(Error::UnsupportedMediaType),
        "COPY" | "MOVE" => {
            let body = std::mem::replace(body, Body::empty());
            match request.xml(body).await {
                Ok(None) => Ok(()),
                Ok(Some(document)) if document.is(DAV, "propertybehavior") => Ok(()),
                Ok(Some(_)) | Err(Error::BadRequest(_)) => Err(Error::UnsupportedMediaType),
                Err(error) => Err(error),
            }
        }
        _ => Ok(()),
    }
}

/// Whether anything comes: a body may be sent in chunks and be empty all the same.
async fn has_bytes(body: &mut Body) -> Result<bool> {
    while let Some(piece) = body.next().await? {
        if !piece.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
