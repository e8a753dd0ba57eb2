//! Taking a request body into a content, against the quota.

use http::{HeaderMap, header};

use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ports::ByteSource;
use crate::store::{Caller, Content, Drive, Upload};

/// The longest content, in bytes: more than any object store takes, and exact in JavaScript.
const LONGEST: u64 = 1 << 53;

/// The number of bytes that the request announces: Content-Length, or, with chunked transfer,
/// X-Expected-Entity-Length, which Finder sends; none where neither says.
pub fn announced_length(headers: &HeaderMap, body: &Body) -> Result<Option<u64>> {
    if body.length.is_some() && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(body.length);
    }
    let Some(expected) = headers.get("x-expected-entity-length") else { return Ok(None) };
    let expected = expected.to_str().ok().and_then(|text| text.trim().parse().ok()).filter(|length| *length <= LONGEST);
    expected.map(Some).ok_or_else(|| Error::bad("X-Expected-Entity-Length is not a number"))
}

/// Stores what comes from `source`, refusing it before the first byte where the announced length
/// exceeds the quota.
pub async fn receive(
    cx: &Context<'_>,
    drive: &Drive,
    caller: &Caller,
    upload: Upload,
    source: &mut dyn ByteSource,
    length: Option<u64>,
) -> Result<Content> {
    if let Some(length) = length {
        caller.check_quota(length)?;
    }
    drive.store(&cx.config.keys, upload, source, length, caller.available()).await
}
