//! The small request headers of RFC 4918, section 10, and of sync clients. Each function takes all
//! headers, and a header that is sent twice is malformed.
//!
//! Not here: the grammar of `If` (`if_header`), ranges and HTTP's own conditions.

use http::HeaderMap;

use super::if_header::IfHeader;
use crate::date::decimal_seconds;
use crate::ports::Millis;

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
pub fn total_length(headers: &HeaderMap) -> Result<Option<u64>, HeaderError> {
    let Some(value) = single(headers, "OC-Total-Length")? else { return Ok(None) };
    value.parse().ok().filter(|_| is_digits(value)).map(Some).ok_or(HeaderError("OC-Total-Length"))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The value of a header that may be sent once. UTF-8 passes, because some clients do not encode
/// the Destination.
fn single<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, HeaderError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) if values.next().is_none() => Ok(Some(text.trim_matches([' ', '\t']))),
        _ => Err(HeaderError(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn one(name: &'static str, value: impl AsRef<[u8]>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(http::HeaderName::from_static(name), HeaderValue::from_bytes(value.as_ref()).unwrap());
        headers
    }

    #[test]
    fn absent_headers_have_their_defaults() {
        let none = HeaderMap::new();
        assert_eq!(depth(&none), Ok(None));
        assert_eq!(timeout(&none), None);
        assert_eq!(overwrite(&none), Ok(true));
        assert_eq!(lock_token(&none), Ok(None));
        assert_eq!(destination(&none), Ok(None));
        assert_eq!(if_header(&none), Ok(None));
        assert_eq!(oc_mtime(&none), Ok(None));
    }

    #[test]
    fn a_header_sent_twice_is_malformed() {
        let mut headers = one("depth", "0");
        headers.append("depth", HeaderValue::from_static("1"));
        assert_eq!(depth(&headers), Err(HeaderError("Depth")));
        assert_eq!(HeaderError("Depth").to_string(), "the Depth header is malformed");
    }

    #[test]
    fn depth_is_one_of_three() {
        assert_eq!(depth(&one("depth", "0")), Ok(Some(Depth::Zero)));
        assert_eq!(depth(&one("depth", " 1 ")), Ok(Some(Depth::One)));
        assert_eq!(depth(&one("depth", "infinity")), Ok(Some(Depth::Infinity)));
        assert_eq!(depth(&one("depth", "Infinity")), Ok(Some(Depth::Infinity)));
        for value in ["", "2", "00", "-1", "1,noroot", "infinite"] {
            assert_eq!(depth(&one("depth", value)), Err(HeaderError("Depth")), "{value}");
        }
    }

    #[test]
    fn the_first_usable_timeout_counts() {
        for (value, expected) in [
            ("Second-3600", Some(Timeout::Seconds(3600))),
            ("Second-0", Some(Timeout::Seconds(0))),
            ("second-4294967295", Some(Timeout::Seconds(u32::MAX))),
            ("Infinite", Some(Timeout::Infinite)),
            ("Infinite, Second-4100000000", Some(Timeout::Infinite)),
            ("Second-4294967296, Second-5", Some(Timeout::Seconds(5))),
            ("Extend-1,Second-7", Some(Timeout::Seconds(7))),
            ("Second-", None),
            ("Second-+5", None),
            ("Second--5", None),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(timeout(&one("timeout", value)), expected, "{value}");
        }
    }

    #[test]
    fn overwrite_is_true_or_false() {
        assert_eq!(overwrite(&one("overwrite", "T")), Ok(true));
        assert_eq!(overwrite(&one("overwrite", "F")), Ok(false));
        for value in ["", "TRUE", "0"] {
            assert_eq!(overwrite(&one("overwrite", value)), Err(HeaderError("Overwrite")), "{value}");
        }
    }

    #[test]
    fn a_lock_token_stands_in_angle_brackets() {
        let token = "urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4";
        assert_eq!(lock_token(&one("lock-token", format!("<{token}>"))), Ok(Some(token.to_owned())));
        for value in ["", token, "<>", "<a", "a>", "<a> <b>", "<a b>", "<<a>>"] {
            assert_eq!(lock_token(&one("lock-token", value)), Err(HeaderError("Lock-Token")), "{value}");
        }
    }

    #[test]
    fn a_destination_is_an_absolute_uri_or_path() {
        for (value, authority, path) in [
            ("/dav/a%20b/", None, "/dav/a%20b/"),
            ("/", None, "/"),
            ("/dav/a b/é", None, "/dav/a b/é"),
            ("http://example.com/dav/a", Some("example.com"), "/dav/a"),
            ("HTTPS://example.com:8443/dav//a", Some("example.com:8443"), "/dav//a"),
            ("http://user:pass@example.com/a@b", Some("example.com"), "/a@b"),
            ("http://[::1]:80/", Some("[::1]:80"), "/"),
            ("http://example.com", Some("example.com"), "/"),
        ] {
            let expected = Destination { authority: authority.map(str::to_owned), path: path.to_owned() };
            assert_eq!(destination(&one("destination", value)), Ok(Some(expected)), "{value}");
        }
    }

    #[test]
    fn other_destinations_are_refused() {
        for value in [
            "",
            "a/b",
            "//example.com/a",
            "http:///a",
            "http://user@/a",
            "ftp://example.com/a",
            "http:/a",
            "/a?b",
            "/a#b",
            "http://h?/a",
        ] {
            assert_eq!(destination(&one("destination", value)), Err(HeaderError("Destination")), "{value}");
        }
        assert_eq!(destination(&one("destination", b"/\xFF")), Err(HeaderError("Destination")));
    }

    #[test]
    fn mtime_is_in_seconds() {
        for (value, millis) in [
            ("0", 0),
            ("1700000000", 1_700_000_000_000),
            ("1700000000.5", 1_700_000_000_500),
            ("1700000000.123456789", 1_700_000_000_123),
            ("1700000000.007", 1_700_000_000_007),
            ("253402300799.999", 253_402_300_799_999),
        ] {
            assert_eq!(oc_mtime(&one("x-oc-mtime", value)), Ok(Some(millis)), "{value}");
        }
    }

    #[test]
    fn a_time_before_1970_counts_for_nothing() {
        assert_eq!(oc_mtime(&one("x-oc-mtime", "-86400")), Ok(None));
        assert_eq!(oc_mtime(&one("x-oc-mtime", "-1.5")), Ok(None));
    }

    #[test]
    fn nonsense_is_no_mtime() {
        for value in ["", "+1", "0x65", "1e9", "1.", ".5", "1.2.3", "soon", "253402300800", "99999999999999999999", "١"]
        {
            assert_eq!(oc_mtime(&one("x-oc-mtime", value)), Err(HeaderError("X-OC-Mtime")), "{value}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_survived(value in prop::collection::vec(0x20u8..0x7F, 0..40)) {
            let _ = depth(&one("depth", &value));
            let _ = timeout(&one("timeout", &value));
            let _ = lock_token(&one("lock-token", &value));
            if let Ok(Some(destination)) = destination(&one("destination", &value)) {
                prop_assert!(destination.path.starts_with('/'));
            }
        }

        #[test]
        fn whole_milliseconds_survive(millis in 0..=crate::date::LAST_SECOND * 1000) {
            let value = format!("{}.{:03}", millis / 1000, millis % 1000);
            prop_assert_eq!(oc_mtime(&one("x-oc-mtime", value)), Ok(Some(millis)));
        }
    }
}
