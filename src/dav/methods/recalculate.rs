//! PATCH with X-Recalculate-Hash, as Nextcloud has it: the checksum of a file whose content came in chunks, which nobody has
//! computed yet. rclone asks for it after such an upload.

use data_encoding::HEXLOWER;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::request::Request;
use crate::error::{Error, Result};
use crate::store::{Algorithm, Detail, Scope, ViewRequest};

/// The header that asks.
pub const HEADER: &str = "x-recalculate-hash";

/// Answers a caller who may read and write with the checksum: md5, sha1, sha256 or adler32. It is read from the row where it is
/// known.
pub async fn answer(request: &Request<'_>) -> Result<Response<Body>> {
    let algorithm = request.cx.header(HEADER).and_then(Algorithm::parse);
    let algorithm = algorithm.ok_or_else(|| Error::bad("X-Recalculate-Hash must be sha1, md5, sha256 or adler32"))?;
    let detail = Detail { parts: true, ..Detail::default() };
    let read = ViewRequest { detail, ..ViewRequest::of(request.address()) };
    let view = request.drive.view(&request.credentials, &read, Vec::new()).await?;
    view.caller.scopes.require(Scope::Write)?;
    // The answer tells of a content that may be another's.
    view.caller.scopes.require(Scope::Read)?;
    let node = view.trail()?.existing()?;
    let (Some(id), Some(content)) = (&node.content_id, &node.content) else {
        return Err(Error::MethodNotAllowed(super::options::ALLOW));
    };
    let mut sum = algorithm.recorded(content).to_owned();
    if sum.is_empty() {
        let digests = request.drive.digests(&request.cx.config.keys, &content.parts, node.size.unsigned_abs()).await?;
        request.drive.record_digests(id, &digests).await?;
        sum = HEXLOWER.encode(algorithm.of(&digests));
    }
    let mut response = empty(StatusCode::NO_CONTENT);
    if let Ok(checksum) = HeaderValue::try_from(format!("{}:{sum}", algorithm.name())) {
        response.headers_mut().insert(HeaderName::from_static("oc-checksum"), checksum);
    }
    Ok(response)
}
