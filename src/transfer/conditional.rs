//! Conditional requests of RFC 9110, section 13, on one representation.
//!
//! The `If` header of WebDAV, which speaks of many resources, is in `if_header`.

use std::time::UNIX_EPOCH;

use http::header::{self, HeaderMap, HeaderName};

use crate::ports::Millis;

/// The conditions of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    matching: Option<TagList>,
    none_matching: Option<TagList>,
    modified_since: Option<i64>,
    unmodified_since: Option<i64>,
}

/// What becomes of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All conditions hold: do it.
    Proceed,
    /// The client has it already: 304, GET and HEAD only.
    NotModified,
    /// 412
    PreconditionFailed,
}

/// The value of If-Match or If-None-Match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TagList {
    /// `*`
    Any,
    Tags(Vec<EntityTag>),
}

/// An entity-tag (8.8.3), without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EntityTag {
    weak: bool,
    opaque: String,
}

impl Conditions {
    /// Reads them from the headers. Malformed dates are as good as absent (13.1.3, 13.1.4); a
    /// malformed list of entity-tags matches nothing.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        Self {
            matching: tag_list(headers, &header::IF_MATCH),
            none_matching: tag_list(headers, &header::IF_NONE_MATCH),
            modified_since: date(headers, &header::IF_MODIFIED_SINCE),
            unmodified_since: date(headers, &header::IF_UNMODIFIED_SINCE),
        }
    }

    /// Judges them in the order of 13.2.2. `current` is the strong entity-tag (without quotes) and
    /// the time of last modification of what is there, `None` if nothing is; `is_read` is true for
    /// GET and HEAD.
    pub fn evaluate(&self, current: Option<(&str, Millis)>, is_read: bool) -> Verdict {
        let modified = current.map(|(_, modified)| seconds(modified));
        let may_go_on = match (&self.matching, self.unmodified_since, modified) {
            (Some(list), _, _) => list.matches_strongly(current),
            (None, Some(date), Some(modified)) => modified <= date,
            _ => true,
        };
        if !may_go_on {
            return Verdict::PreconditionFailed;
        }
        let is_news = match (&self.none_matching, self.modified_since, modified) {
            (Some(list), _, _) => !list.matches_weakly(current),
            (None, Some(date), Some(modified)) if is_read => modified > date,
            _ => true,
        };
        match (is_news, is_read) {
            (true, _) => Verdict::Proceed,
            (false, true) => Verdict::NotModified,
            (false, false) => Verdict::PreconditionFailed,
        }
    }
}

impl TagList {
    /// The comparison of If-Match: weak tags match nothing.
    fn matches_strongly(&self, current: Option<(&str, Millis)>) -> bool {
        self.matches(current, |tag| !tag.weak)
    }

    /// The comparison of If-None-Match.
    fn matches_weakly(&self, current: Option<(&str, Millis)>) -> bool {
        self.matches(current, |_| true)
    }

    fn matches(&self, current: Option<(&str, Millis)>, counts: impl Fn(&EntityTag) -> bool) -> bool {
        let Some((etag, _)) = current else { return false };
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| counts(tag) && tag.opaque == etag),
        }
    }
}

/// Whether a Range header may be obeyed, by If-Range (13.1.5): true without the header, or if it
/// names exactly the present strong entity-tag or time of last modification.
pub fn if_range_holds(headers: &HeaderMap, etag: &str, modified: Millis) -> bool {
    let mut values = headers.get_all(header::IF_RANGE).iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else { return true };
    let Some(value) = value.to_str().ok().filter(|_| more.is_none()) else { return false };
    match entity_tag(value.trim()) {
        Some((tag, "")) => !tag.weak && tag.opaque == etag,
        _ => http_date(value) == Some(seconds(modified)),
    }
}

/// All lines of a header as one list; `None` without the header.
fn tag_list(headers: &HeaderMap, name: &HeaderName) -> Option<TagList> {
    let mut lines = headers.get_all(name).iter().peekable();
    lines.peek()?;
    let text: Result<Vec<&str>, _> = lines.map(|line| line.to_str()).collect();
    let tags = text.ok().map(|lines| lines.join(","));
    match tags.as_deref().map(str::trim) {
        Some("*") => Some(TagList::Any),
        Some(tags) => Some(TagList::Tags(entity_tags(tags).unwrap_or_default())),
        None => Some(TagList::Tags(Vec::new())),
    }
}

/// A list of entity-tags; empty elements are allowed (5.6.1).
fn entity_tags(mut rest: &str) -> Option<Vec<EntityTag>> {
    let mut tags = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(tags);
        }
        let (tag, after) = entity_tag(rest)?;
        tags.push(tag);
        rest = after.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

/// The entity-tag at the start of `text`, and what follows it.
fn entity_tag(text: &str) -> Option<(EntityTag, &str)> {
    let (weak, quoted) = match text.strip_prefix("W/") {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let (opaque, rest) = quoted.strip_prefix('"')?.split_once('"')?;
    let tag = EntityTag { weak, opaque: opaque.to_owned() };
    (!opaque.contains([' ', '\t'])).then_some((tag, rest))
}

/// The date of a header in seconds since 1970, if there is exactly one and it is well-formed.
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<i64> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    http_date(value)
}

fn http_date(value: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(value.trim()).ok()?;
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Dates in headers have no fractions, so neither may what they are compared with.
fn seconds(time: Millis) -> i64 {
    time.div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{NotModified, PreconditionFailed, Proceed};
    use http::HeaderValue;
    use proptest::prelude::*;

    /// Sun, 06 Nov 1994 08:49:37.250 GMT
    const MODIFIED: Millis = 784_111_777_250;
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    fn read(headers: &[(&'static str, &str)]) -> Verdict {
        Conditions::from_headers(&map(headers)).evaluate(Some(("e1", MODIFIED)), true)
    }

    fn write(headers: &[(&'static str, &str)]) -> Verdict {
        Conditions::from_headers(&map(headers)).evaluate(Some(("e1", MODIFIED)), false)
    }

    fn create(headers: &[(&'static str, &str)]) -> Verdict {
        Conditions::from_headers(&map(headers)).evaluate(None, false)
    }

    #[test]
    fn without_conditions_all_proceeds() {
        assert_eq!((read(&[]), write(&[]), create(&[])), (Proceed, Proceed, Proceed));
    }

    #[test]
    fn if_match_compares_strongly() {
        for (value, expected) in [
            ("\"e1\"", Proceed),
            ("*", Proceed),
            ("\"e0\", \"e1\"", Proceed),
            (",, \"e0\" ,\t\"e1\",", Proceed),
            ("\"e0\"", PreconditionFailed),
            ("W/\"e1\"", PreconditionFailed),
            ("e1", PreconditionFailed),
            ("", PreconditionFailed),
            ("\"e1\" x", PreconditionFailed),
            ("\"e1\"\"e1\"", PreconditionFailed),
            ("\"e1", PreconditionFailed),
            ("*, \"e1\"", PreconditionFailed),
            ("w/\"e1\"", PreconditionFailed),
        ] {
            assert_eq!(write(&[("if-match", value)]), expected, "{value}");
            assert_eq!(read(&[("if-match", value)]), expected, "{value}");
            assert_eq!(create(&[("if-match", value)]), PreconditionFailed, "{value}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        for (value, matches) in [
            ("\"e1\"", true),
            ("W/\"e1\"", true),
            ("*", true),
            ("\"e0\",\"e1\"", true),
            ("\"e0\"", false),
            ("e1", false),
        ] {
            let headers = [("if-none-match", value)];
            assert_eq!(read(&headers), if matches { NotModified } else { Proceed }, "{value}");
            assert_eq!(write(&headers), if matches { PreconditionFailed } else { Proceed }, "{value}");
            assert_eq!(create(&headers), Proceed, "{value}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        assert_eq!(write(&[("if-match", "\"e0\""), ("if-match", "\"e1\"")]), Proceed);
        assert_eq!(read(&[("if-none-match", "\"e0\""), ("if-none-match", "\"e1\"")]), NotModified);
    }

    #[test]
    fn dates_are_compared_by_the_second() {
        for (date, modified_since, unmodified_since) in [
            (BEFORE, Proceed, PreconditionFailed),
            (SAME, NotModified, Proceed),
            (AFTER, NotModified, Proceed),
            ("yesterday", Proceed, Proceed),
            ("Sunday, 06-Nov-94 08:49:37 GMT", NotModified, Proceed),
        ] {
            assert_eq!(read(&[("if-modified-since", date)]), modified_since, "{date}");
            assert_eq!(read(&[("if-unmodified-since", date)]), unmodified_since, "{date}");
            assert_eq!(write(&[("if-unmodified-since", date)]), unmodified_since, "{date}");
            assert_eq!(write(&[("if-modified-since", date)]), Proceed, "{date}");
            assert_eq!(create(&[("if-unmodified-since", date)]), Proceed, "{date}");
        }
    }

    #[test]
    fn two_dates_are_none() {
        assert_eq!(read(&[("if-modified-since", SAME), ("if-modified-since", SAME)]), Proceed);
    }

    #[test]
    fn entity_tags_come_before_dates() {
        assert_eq!(write(&[("if-match", "\"e1\""), ("if-unmodified-since", BEFORE)]), Proceed);
        assert_eq!(write(&[("if-match", "\"e0\""), ("if-unmodified-since", AFTER)]), PreconditionFailed);
        assert_eq!(read(&[("if-none-match", "\"e0\""), ("if-modified-since", AFTER)]), Proceed);
        assert_eq!(read(&[("if-none-match", "\"e1\""), ("if-modified-since", BEFORE)]), NotModified);
        assert_eq!(read(&[("if-match", "\"e1\""), ("if-none-match", "\"e1\"")]), NotModified);
        assert_eq!(read(&[("if-match", "\"e0\""), ("if-none-match", "\"e1\"")]), PreconditionFailed);
    }

    #[test]
    fn times_before_1970_are_rounded_down() {
        let headers = map(&[("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT")]);
        assert_eq!(Conditions::from_headers(&headers).evaluate(Some(("e", -1)), false), Proceed);
        assert_eq!(seconds(-1), -1);
    }

    #[test]
    fn if_range_needs_the_exact_validator() {
        for (value, holds) in [
            ("\"e1\"", true),
            (" \"e1\" ", true),
            ("\"e0\"", false),
            ("W/\"e1\"", false),
            ("\"e1\", \"e0\"", false),
            ("*", false),
            ("e1", false),
            (SAME, true),
            (BEFORE, false),
            (AFTER, false),
            ("", false),
        ] {
            assert_eq!(if_range_holds(&map(&[("if-range", value)]), "e1", MODIFIED), holds, "{value}");
        }
        assert!(if_range_holds(&map(&[]), "e1", MODIFIED));
        assert!(!if_range_holds(&map(&[("if-range", "\"e1\""), ("if-range", "\"e1\"")]), "e1", MODIFIED));
    }

    proptest! {
        #[test]
        fn a_written_list_is_read_back(tags in prop::collection::vec((any::<bool>(), "[!#-~]{0,8}"), 0..5)) {
            let text: Vec<String> =
                tags.iter().map(|(weak, tag)| format!("{}\"{tag}\"", if *weak { "W/" } else { "" })).collect();
            let expected = tags.into_iter().map(|(weak, opaque)| EntityTag { weak, opaque }).collect();
            prop_assert_eq!(entity_tags(&text.join(" ,")), Some(expected));
        }

        #[test]
        fn only_exact_tags_pass_if_match(value in "[ -~]{0,12}") {
            let passes = write(&[("if-match", &value)]) == Proceed;
            prop_assert!(!passes || value.contains("\"e1\"") || value.trim() == "*");
        }
    }
}
