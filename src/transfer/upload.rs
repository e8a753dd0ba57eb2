//! Taking a request body into a content, against the quota, and past the virus scanner.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use crate::body::Body;
use crate::config::Config;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, Count};
use crate::scan::{Client, ScanError, Verdict};
use crate::store::{AvStatus, Caller, Content, Drive, Upload};

/// The longest content, in bytes: more than any object store takes.
pub const LONGEST: Count = Count::MOST;

/// How long a scanner may keep an upload waiting in all. After that, a job asks it again.
const SCAN_PATIENCE: Duration = Duration::from_secs(5);

/// The number of bytes that the request announces: Content-Length, or, with chunked transfer,
/// X-Expected-Entity-Length, which Finder sends; none where neither says.
pub fn announced_length(headers: &HeaderMap, body: &Body) -> Result<Option<u64>> {
    if body.length.is_some() && !headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(body.length);
    }
    let Some(expected) = headers.get("x-expected-entity-length") else { return Ok(None) };
    let expected = expected.to_str().ok().and_then(|text| Count::parse(text.trim()));
    expected
        .map(|length| Some(length.bytes()))
        .ok_or_else(|| Error::bad("X-Expected-Entity-Length is not a number, or too large"))
}

/// 415 for a body in a coding such as gzip (RFC 9110, 8.4): nobody would take it off, and who reads what was stored would not
/// be told of it.
pub fn check_coding(headers: &HeaderMap) -> Result<()> {
    let is_identity = |line: &HeaderValue| {
        let codings = line.to_str().map(|line| line.split(',').map(str::trim).filter(|coding| !coding.is_empty()));
        codings.is_ok_and(|mut codings| codings.all(|coding| coding.eq_ignore_ascii_case("identity")))
    };
    if headers.get_all(header::CONTENT_ENCODING).iter().all(is_identity) {
        Ok(())
    } else {
        Err(Error::UnsupportedCoding)
    }
}

/// Stores what comes from `source`, refusing it before the first byte where the announced length
/// exceeds the quota, and after the last where the virus scanner finds something.
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
    let (keys, available, limit) = (&cx.config.keys, caller.available(), cx.config.scan_inline_max);
    let is_for_a_job = length.is_some_and(|length| length > limit) || caller.scanner_fails(drive.now());
    match cx.config.scanner.clone() {
        Some(scanner) if !is_for_a_job => {
            let client = Client::new(scanner, cx.ports);
            let mut inspected = client.inspect(source, limit, SCAN_PATIENCE);
            let content = drive.store(keys, upload, &mut inspected, length, available).await?;
            judge(drive, content, inspected.verdict().await).await
        }
        _ => {
            let content = drive.store(keys, upload, source, length, available).await?;
            Ok(Content { av: unscanned(cx.config, content.size), ..content })
        }
    }
}

/// The state of a content of `size` bytes that no scanner has seen yet.
pub fn unscanned(config: &Config, size: i64) -> AvStatus {
    match config.scanner {
        Some(_) if size > 0 => AvStatus::Pending,
        Some(_) => AvStatus::Clean,
        None => AvStatus::Skipped,
    }
}

/// What a verdict makes of a content that is stored. Without one, the content is pending.
async fn judge(drive: &Drive, mut content: Content, verdict: Result<Verdict, ScanError>) -> Result<Content> {
    match verdict {
        Ok(Verdict::Clean) => content.av = AvStatus::Clean,
        Ok(Verdict::Infected(name)) => {
            drive.discard(&content).await;
            return Err(Error::InfectedUpload(name));
        }
        Err(ScanError::TooLarge) => content.av = AvStatus::Pending,
        Err(error) => {
            log::warn!("an upload was not scanned at once: {error}");
            content.av = AvStatus::Pending;
            content.scanner_error = Some(error.to_string());
        }
    }
    Ok(content)
}
