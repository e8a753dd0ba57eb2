//! Answering GET and HEAD on a content (RFC 9110, 9.3.1, 13 and 14).

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::browser;
use super::conditional::{Conditions, Verdict, if_range_holds};
use super::disposition::{Disposition, content_disposition};
use super::range::{self, RangeOutcome};
use crate::body::Body;
use crate::context::Context;
use crate::date::http_date;
use crate::error::{Error, Result};
use crate::ports::Millis;
use crate::store::{AvStatus, ContentInfo, Drive, Node, Version};

/// A content as a client sees it.
pub struct Representation<'a> {
    /// The file's name, for Content-Disposition.
    pub name: &'a str,
    /// The media type.
    pub mime: String,
    /// The entity tag, without quotes.
    pub etag: &'a str,
    /// The time of the last modification.
    pub modified_at: Millis,
    /// Bytes.
    pub size: i64,
    /// Digests and parts.
    pub content: Option<&'a ContentInfo>,
    /// How a browser takes it.
    pub disposition: Disposition,
}

/// The answer: 200, 206, 304, 412 or 416; 403 or 425 for what the virus scanner has not let pass.
pub async fn download(cx: &Context<'_>, drive: &Drive, what: &Representation<'_>) -> Result<Response<Body>> {
    check_scanned(cx, what)?;
    let conditions = Conditions::from_headers(&cx.headers);
    match conditions.evaluate(Some((what.etag, what.modified_at)), true) {
        Verdict::Proceed => {}
        Verdict::NotModified => return Ok(not_modified(what)),
        Verdict::PreconditionFailed => {
            return Err(Error::PreconditionFailed("the file is another one now".to_owned()));
        }
    }
    let size = what.size.unsigned_abs();
    let (status, range) = match wanted_range(cx, what, size) {
        RangeOutcome::Whole => (StatusCode::OK, 0..size),
        RangeOutcome::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        RangeOutcome::Unsatisfiable => return Err(Error::RangeNotSatisfiable(size)),
    };
    let length = range.end - range.start;
    let content_range = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));

    let body = if length == 0 || cx.method == Method::HEAD {
        Body::empty()
    } else {
        let parts = what.content.map(|content| content.parts.as_slice()).unwrap_or_default();
        Body::stream(Some(length), drive.read(&cx.config.keys, parts, range).await?)
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    describe(headers, what);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_DISPOSITION, content_disposition(what.disposition, what.name));
    browser::describe(headers, &what.mime);
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::try_from(content_range)
    {
        headers.insert(header::CONTENT_RANGE, value);
    }
    if let Some(content) = what.content {
        add_digest(headers, content);
    }
    Ok(response)
}

/// The same for an earlier content of a file.
pub async fn download_version(
    cx: &Context<'_>,
    drive: &Drive,
    file: &Node,
    version: &Version,
) -> Result<Response<Body>> {
    let what = Representation {
        name: &file.name,
        mime: version.mime(&file.name),
        etag: &format!("v{}", version.id),
        modified_at: version.modified_at,
        size: version.size,
        content: version.content.as_ref(),
        disposition: Disposition::Attachment,
    };
    download(cx, drive, &what).await
}

fn check_scanned(cx: &Context<'_>, what: &Representation<'_>) -> Result<()> {
    let Some(content) = what.content else { return Ok(()) };
    match content.av {
        AvStatus::Infected => Err(content.infected()),
        AvStatus::Pending if cx.config.block_unscanned => Err(Error::ScanPending),
        AvStatus::Error if cx.config.block_unscanned => Err(Error::ScanError),
        _ => Ok(()),
    }
}

fn wanted_range(cx: &Context<'_>, what: &Representation<'_>, size: u64) -> RangeOutcome {
    // Ranges are defined for GET alone (RFC 9110, 14.2).
    if cx.method != Method::GET {
        return RangeOutcome::Whole;
    }
    let headers = &cx.headers;
    match headers.get(header::RANGE).map(HeaderValue::to_str) {
        Some(Ok(value)) if if_range_holds(headers, what.etag, what.modified_at) => range::parse(value, size),
        _ => RangeOutcome::Whole,
    }
}

fn not_modified(what: &Representation<'_>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    describe(response.headers_mut(), what);
    response
}

/// The validators, which a 304 carries too. A proxy that compressed the content would drop its
/// length and weaken its entity tag: sync clients need both.
fn describe(headers: &mut HeaderMap, what: &Representation<'_>) {
    headers.insert(header::ETAG, etag_header(what.etag));
    headers.insert(header::LAST_MODIFIED, date_header(what.modified_at));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-transform"));
}

/// `Repr-Digest` (RFC 9530, 3).
fn add_digest(headers: &mut HeaderMap, content: &ContentInfo) {
    let digest = data_encoding::HEXLOWER.decode(content.sha256.as_bytes());
    if let Ok(sha256) = digest
        && !sha256.is_empty()
        && let Ok(value) = HeaderValue::try_from(format!("sha-256=:{}:", data_encoding::BASE64.encode(&sha256)))
    {
        headers.insert(HeaderName::from_static("repr-digest"), value);
    }
}

/// The entity tag as a header, quoted.
pub fn etag_header(etag: &str) -> HeaderValue {
    HeaderValue::try_from(format!("\"{etag}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The time as a header.
pub fn date_header(at: Millis) -> HeaderValue {
    HeaderValue::try_from(http_date(at)).unwrap_or(HeaderValue::from_static(""))
}
