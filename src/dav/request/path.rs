//! Paths in a drive: from the URL to names, and back to hrefs.
//!
//! Where in the URL the drive begins is the business of `mount`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};

use crate::name::{NameError, read_name};

/// All but the unreserved characters of RFC 3986 and the parentheses, which Nextcloud's server
/// leaves too: clients are tried against these hrefs. `+` in particular must go, since some take
/// it for a space.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'(').remove(b')');

/// The names that lead from the root of a drive to one of its resources. A slash at the end makes
/// no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DavPath {
    segments: Vec<String>,
}

/// Why a path is refused: 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A `%` without two hexadecimal digits, bytes that are not UTF-8, or a `\`, which some take for a slash: in no URI may
    /// it stand as it is (RFC 3986, 2).
    #[error("the path is not percent-encoded UTF-8")]
    Encoding,
    /// A name that no resource may have.
    #[error(transparent)]
    Name(#[from] NameError),
}

impl DavPath {
    /// Reads a percent-encoded path. Empty segments count for nothing; `.` and `..` are refused, as
    /// clients resolve them before they send a request.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        let segments = raw.split('/').filter(|segment| !segment.is_empty()).map(decode_segment);
        Ok(Self { segments: segments.collect::<Result<_, _>>()? })
    }

    /// The decoded names, outermost first; none for the root.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Whether this is below `other`, at any depth; no path is below itself.
    pub fn is_below(&self, other: &Self) -> bool {
        self.segments.len() > other.segments.len() && self.segments.starts_with(&other.segments)
    }
}

/// The URL path of a resource, percent-encoded, behind the `prefix` of the mount (`/api/dav`,
/// without a slash at its end). A `collection` ends with a slash; so does the root.
pub fn href(prefix: &str, names: &[String], collection: bool) -> String {
    let mut href = prefix.to_owned();
    for name in names {
        href.push('/');
        href.extend(encode_segment(name));
    }
    if collection || names.is_empty() {
        href.push('/');
    }
    href
}

/// A name as a segment of an href.
pub fn encode_segment(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, ENCODED)
}

fn decode_segment(raw: &str) -> Result<String, PathError> {
    // The decoder would let a lone `%` stand.
    let is_escape = |after: &str| after.get(..2).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if raw.contains('\\') || !raw.split('%').skip(1).all(is_escape) {
        return Err(PathError::Encoding);
    }
    let name = percent_decode_str(raw).decode_utf8().map_err(|_| PathError::Encoding)?;
    Ok(read_name(&name)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(raw: &str) -> DavPath {
        DavPath::parse(raw).unwrap()
    }

    #[test]
    fn segments_are_decoded() {
        assert_eq!(path("/a%20b/%D0%AF/50%25/%F0%9F%A6%80/+").segments(), ["a b", "Я", "50%", "🦀", "+"]);
        assert_eq!(path("/a b/Я").segments(), ["a b", "Я"]);
        assert_eq!(path("/e%CC%81/e\u{301}"), path("/%C3%A9/é"), "both forms of a letter are one");
        assert_eq!(path("/a%2bB%2B/c%5Cd").segments(), ["a+B+", "c\\d"]);
    }

    #[test]
    fn empty_segments_count_for_nothing() {
        assert!(path("").segments().is_empty() && path("//").segments().is_empty());
        assert_eq!(path("//a///b").segments(), ["a", "b"]);
        assert_eq!(path("a/b"), path("/a/b/"));
        assert_ne!(path("/a/b"), path("/a/c"));
    }

    #[test]
    fn wrong_encodings_are_refused() {
        for raw in
            ["/%", "/%4", "/%zz", "/a%2", "/%%41", "/%+1", "/%FF", "/%C3", "/%ED%A0%80", "/%C0%AF", "/%é1", "/a\\b"]
        {
            assert_eq!(DavPath::parse(raw), Err(PathError::Encoding), "{raw}");
        }
    }

    #[test]
    fn wrong_names_are_refused() {
        for (raw, error) in [
            ("/a/../b", NameError::Dots),
            ("/./a", NameError::Dots),
            ("/%2e%2E", NameError::Dots),
            ("/a%2Fb", NameError::Character),
            ("/a%00", NameError::Character),
            ("/a%0D%0A", NameError::Character),
            ("/%EF%BF%BF", NameError::Character),
        ] {
            assert_eq!(DavPath::parse(raw), Err(PathError::Name(error)), "{raw}");
        }
        assert_eq!(DavPath::parse(&format!("/{}", "a".repeat(256))), Err(PathError::Name(NameError::TooLong)));
    }

    #[test]
    fn below_goes_by_whole_names() {
        assert!(
            path("/a/b").is_below(&path("/a/"))
                && path("/a/b/c").is_below(&path("/a"))
                && path("/a").is_below(&path("/"))
        );
        assert!(
            !path("/ab").is_below(&path("/a"))
                && !path("/a").is_below(&path("/a"))
                && !path("/a").is_below(&path("/a/b"))
        );
        assert!(!path("/").is_below(&path("/")));
    }

    #[test]
    fn hrefs_are_encoded_behind_the_prefix() {
        let hrefs = |raw: &str, prefix, collection| href(prefix, path(raw).segments(), collection);
        assert_eq!(hrefs("/a/b", "/api/dav", false), "/api/dav/a/b");
        assert_eq!(hrefs("/a/b", "/dav", true), "/dav/a/b/");
        assert_eq!(hrefs("/", "/dav", false), "/dav/");
        assert_eq!(hrefs("", "", true), "/");
        let odd = ["a b&'\"<>%#?+;:é(1)~.txt".to_owned()];
        assert_eq!(href("/dav", &odd, false), "/dav/a%20b%26%27%22%3C%3E%25%23%3F%2B%3B%3A%C3%A9(1)~.txt");
    }

    proptest! {
        #[test]
        fn an_href_is_read_back(names in prop::collection::vec(any::<String>(), 0..4), collection: bool) {
            let names: Result<Vec<_>, _> = names.iter().map(|name| read_name(name)).collect();
            prop_assume!(names.is_ok());
            let names = names.unwrap();
            let written = href("", &names, collection);
            prop_assert!(written.bytes().all(|b| b.is_ascii_alphanumeric() || b"/%-._~()".contains(&b)));
            prop_assert_eq!(written.ends_with('/'), collection || names.is_empty());
            let read = path(&written);
            prop_assert_eq!(read.segments(), names);
        }

        #[test]
        fn whatever_is_read_has_valid_names(raw in "[a./%0-9A-Fé]{0,24}") {
            if let Ok(path) = DavPath::parse(&raw) {
                prop_assert!(path.segments().iter().all(|name| read_name(name).as_ref() == Ok(name)));
            }
        }
    }
}
