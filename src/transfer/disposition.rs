//! Content-Disposition with a file name, by RFC 6266 and RFC 8187.

use std::fmt::Write as _;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a browser does with the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Saves it.
    Attachment,
    /// Shows it where it can.
    Inline,
}

/// What RFC 8187 (3.2.1) does not let stand as it is.
const NOT_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header's value for a file called `name`: `filename` in ASCII for old clients (curl -J reads
/// no other), and `filename*` beside it where ASCII does not tell the whole name.
pub fn content_disposition(disposition: Disposition, name: &str) -> HeaderValue {
    let kind = match disposition {
        Disposition::Attachment => "attachment",
        Disposition::Inline => "inline",
    };
    let fallback: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut value = format!("{kind}; filename=\"{fallback}\"");
    if fallback != name {
        let _ = write!(value, "; filename*=UTF-8''{}", utf8_percent_encode(name, NOT_ATTR_CHAR));
    }
    // Both forms are printable ASCII, so this does not fail.
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(kind))
}

/// Characters that every client reads alike in a quoted string: some decode `%`, some take `\` as
/// a separator of folders (RFC 6266, appendix D).
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '%' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    fn attachment(name: &str) -> String {
        content_disposition(Disposition::Attachment, name).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_plain_name_is_quoted_once() {
        assert_eq!(attachment("backup.tar.gz"), r#"attachment; filename="backup.tar.gz""#);
        assert_eq!(attachment("a; b='c'.txt"), r#"attachment; filename="a; b='c'.txt""#);
        assert_eq!(content_disposition(Disposition::Inline, "a.png"), r#"inline; filename="a.png""#);
    }

    #[test]
    fn other_names_are_told_twice() {
        assert_eq!(attachment("naïve.txt"), r#"attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt"#);
        assert_eq!(attachment("50% \"x\""), r#"attachment; filename="50_ _x_"; filename*=UTF-8''50%25%20%22x%22"#);
        assert_eq!(
            attachment("a\r\nSet-Cookie: b"),
            r#"attachment; filename="a__Set-Cookie: b"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b"#
        );
    }

    proptest! {
        #[test]
        fn every_name_can_be_read_back(name in any::<String>()) {
            let value = attachment(&name);
            let (first, extended) = match value.split_once("; filename*=UTF-8''") {
                Some((first, extended)) => (first, Some(percent_decode_str(extended).decode_utf8().unwrap())),
                None => (value.as_str(), None),
            };
            let quoted = first.strip_prefix("attachment; filename=\"").and_then(|f| f.strip_suffix('"')).unwrap();
            prop_assert!(!quoted.contains(['"', '\\']));
            prop_assert_eq!(extended.as_deref().unwrap_or(quoted), name);
        }
    }
}
