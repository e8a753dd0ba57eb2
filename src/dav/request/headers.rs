//! The small request headers of RFC 4918, section 10, and of sync clients. Each function takes all
//! headers, and a header that is sent twice is malformed.
//!
//! Not here: the grammar of `If` (`transfer::if_header`), ranges and HTTP's own conditions.

use http::HeaderMap;

use crate::date::decimal_seconds;
use crate::ports::{Count, Millis};
use crate::transfer::if_header::IfHeader;

/// A header whose value makes no sense: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {0} header is malformed")]
pub struct HeaderError(pub &'static str);

/// How far below a resource a method reaches (10.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The resource alone.
    Zero,
    /// And its members.
    One,
    /// And all that is below it.
    Infinity,
}

/// How long a lock shall last (10.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// This many seconds.
    Seconds(u32),
    /// As long as the server lets it.
    Infinite,
}

/// Where COPY and MOVE go (10.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Host and port as sent, without user information; `None` where only a path was sent.
    pub authority: Option<String>,
    /// Begins with `/`, and is still percent-encoded.
    pub path: String,
}

/// The Depth header; `None` without it, since methods differ in their default.
pub fn depth(headers: &HeaderMap) -> Result<Option<Depth>, HeaderError> {
    let Some(value) = single(headers, "Depth")? else { return Ok(None) };
    match value {
        "0" => Ok(Some(Depth::Zero)),
        "1" => Ok(Some(Depth::One)),
        _ if value.eq_ignore_ascii_case("infinity") => Ok(Some(Depth::Infinity)),
        _ => Err(HeaderError("Depth")),
    }
}

/// The same for a PROPFIND, and whether the resource itself is to be left out: `1,noroot`, which clients of Microsoft's send
/// ([MS-WDVSE], 2.2.2).
pub fn depth_of_listing(headers: &HeaderMap) -> Result<(Option<Depth>, bool), HeaderError> {
    let Some(value) = single(headers, "Depth")? else { return Ok((None, false)) };
    match value.split_once(',').map(|(depth, more)| (depth.trim(), more.trim())) {
        Some(("1", more)) if more.eq_ignore_ascii_case("noroot") => Ok((Some(Depth::One), true)),
        _ => Ok((depth(headers)?, false)),
    }
}

/// The first time of the Timeout header that can be understood; `None` without any, for a server
/// may choose as it likes.
pub fn timeout(headers: &HeaderMap) -> Option<Timeout> {
    let lines = headers.get_all("Timeout").iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).find_map(time_type)
}

/// `"Second-" 1*DIGIT | "Infinite"`, at most 2^32-1 seconds.
fn time_type(text: &str) -> Option<Timeout> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("infinite") {
        return Some(Timeout::Infinite);
    }
    let (unit, number) = text.split_once('-')?;
    if !unit.eq_ignore_ascii_case("second") || !is_digits(number) {
        return None;
    }
    number.parse().ok().map(Timeout::Seconds)
}

/// The Overwrite header (10.6), which is true where it is absent.
pub fn overwrite(headers: &HeaderMap) -> Result<bool, HeaderError> {
    match single(headers, "Overwrite")? {
        None | Some("T" | "t") => Ok(true),
        Some("F" | "f") => Ok(false),
        Some(_) => Err(HeaderError("Overwrite")),
    }
}

/// The token of the Lock-Token header (10.5), without its `<>`.
pub fn lock_token(headers: &HeaderMap) -> Result<Option<String>, HeaderError> {
    let Some(value) = single(headers, "Lock-Token")? else { return Ok(None) };
    let token = value.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    match token {
        Some(token) if !token.is_empty() && !token.contains(['<', '>', ' ', '\t']) => Ok(Some(token.to_owned())),
        _ => Err(HeaderError("Lock-Token")),
    }
}

/// The Destination header: an absolute URI or an absolute path. A query or fragment is refused: it
/// is most likely part of a name that was not encoded, and to drop it would write elsewhere.
pub fn destination(headers: &HeaderMap) -> Result<Option<Destination>, HeaderError> {
    let Some(value) = single(headers, "Destination")? else { return Ok(None) };
    simple_ref(value).map(Some).ok_or(HeaderError("Destination"))
}

/// The scheme of an absolute URI is not looked at further: proxies that end TLS change it.
fn simple_ref(value: &str) -> Option<Destination> {
    if value.contains(['?', '#']) {
        return None;
    }
    if value.starts_with('/') {
        // `//host/path` would be a URI without scheme, which the grammar does not know.
        return (!value.starts_with("//")).then(|| Destination { authority: None, path: value.to_owned() });
    }
    let (scheme, rest) = value.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.rsplit('@').next().filter(|authority| !authority.is_empty())?;
    let path = if path.is_empty() { "/" } else { path };
    Some(Destination { authority: Some(authority.to_owned()), path: path.to_owned() })
}

/// The If header.
pub fn if_header(headers: &HeaderMap) -> Result<Option<IfHeader>, HeaderError> {
    let Some(value) = single(headers, "If")? else { return Ok(None) };
    IfHeader::parse(value).map(Some).map_err(|_| HeaderError("If"))
}

/// The X-OC-Mtime header of sync clients and rclone: seconds since 1970, with or without a
/// fraction. Only times that HTTP dates can tell are taken; one before 1970 counts for nothing, so
/// that old files can be uploaded all the same.
pub fn oc_mtime(headers: &HeaderMap) -> Result<Option<Millis>, HeaderError> {
    oc_time(headers, "X-OC-Mtime")
}

/// The X-OC-CTime header, when the file was made: as `oc_mtime`.
pub fn oc_ctime(headers: &HeaderMap) -> Result<Option<Millis>, HeaderError> {
    oc_time(headers, "X-OC-CTime")
}

/// The X-File-Mtime header of a part of a bulk upload: as `oc_mtime`.
pub fn file_mtime(headers: &HeaderMap) -> Result<Option<Millis>, HeaderError> {
    oc_time(headers, "X-File-Mtime")
}

fn oc_time(headers: &HeaderMap, name: &'static str) -> Result<Option<Millis>, HeaderError> {
    let Some(value) = single(headers, name)? else { return Ok(None) };
    if value.strip_prefix('-').and_then(decimal_seconds).is_some() {
        return Ok(None);
    }
    decimal_seconds(value).map(Some).ok_or(HeaderError(name))
}

/// The OC-Total-Length header: the bytes of the whole file that a chunk belongs to.
pub fn total_length(headers: &HeaderMap) -> Result<Option<Count>, HeaderError> {
    let Some(value) = single(headers, "OC-Total-Length")? else { return Ok(None) };
    Count::parse(value).map(Some).ok_or(HeaderError("OC-Total-Length"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The value of a header that may be sent once. UTF-8 passes, because some clients do not encode
/// the Destination. What is no UTF-8 does not, nor what a runtime has made of such bytes: two names in Latin-1 would become
/// one.
fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, HeaderError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) if values.next().is_none() && !text.contains(char::REPLACEMENT_CHARACTER) => {
            Ok(Some(text.trim_matches([' ', '\t'])))
        }
        _ => Err(HeaderError(name)),
    }
}

#[cfg(test)]
mod tests;
