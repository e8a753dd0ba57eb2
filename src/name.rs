//! What a file or folder may be called, in REST and WebDAV alike.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// The longest name, in bytes of UTF-8: what the file systems of clients can hold.
pub const MAX_NAME: usize = 255;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No characters.
    #[error("a name may not be empty")]
    Empty,
    /// `.` or `..`, which paths give a meaning of their own.
    #[error("a name may not be '.' or '..'")]
    Dots,
    /// More than [`MAX_NAME`] bytes.
    #[error("a name may not be longer than 255 bytes")]
    TooLong,
    /// `/`, a control character or a noncharacter.
    #[error("a name may not hold '/', control characters or noncharacters")]
    Character,
}

/// A text in Unicode's composed form (NFC), as Nextcloud's server keeps names: macOS writes `é` as two characters, and takes
/// both forms for one name.
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { text.into() } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

/// The name that a client means by `text`, composed, if a file or folder may be called that.
///
/// Control characters and U+FFFE and U+FFFF are refused because XML cannot carry them: such an
/// entry would break the listing of its folder for every WebDAV client.
pub fn read_name(text: &str) -> Result<String, NameError> {
    let name = composed(text);
    match &*name {
        "" => Err(NameError::Empty),
        "." | ".." => Err(NameError::Dots),
        _ if name.len() > MAX_NAME => Err(NameError::TooLong),
        _ if name.contains(is_forbidden) => Err(NameError::Character),
        _ => Ok(name.into_owned()),
    }
}

fn is_forbidden(c: char) -> bool {
    c == '/' || c.is_ascii_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_and_odd_names_are_taken() {
        for name in ["a", "...", ".hidden", "a b", "100%", "#1+2?", "Привет", "🦀", "a\\b", "a:b", " ", "\u{85}"]
        {
            assert_eq!(read_name(name).as_deref(), Ok(name), "{name:?}");
        }
    }

    #[test]
    fn names_with_a_meaning_in_paths_are_refused() {
        assert_eq!(read_name(""), Err(NameError::Empty));
        assert_eq!(read_name("."), Err(NameError::Dots));
        assert_eq!(read_name(".."), Err(NameError::Dots));
        assert_eq!(read_name("a/b"), Err(NameError::Character));
    }

    #[test]
    fn characters_that_xml_cannot_carry_are_refused() {
        for c in (0..0x20).chain([0x7F, 0xFFFE, 0xFFFF]) {
            let name = format!("a{}b", char::from_u32(c).unwrap());
            assert_eq!(read_name(&name), Err(NameError::Character), "{c:x}");
        }
    }

    #[test]
    fn length_is_counted_in_bytes() {
        assert!(read_name(&"a".repeat(255)).is_ok());
        assert_eq!(read_name(&"a".repeat(256)), Err(NameError::TooLong));
        assert!(read_name(&"я".repeat(127)).is_ok());
        assert_eq!(read_name(&"я".repeat(128)), Err(NameError::TooLong));
    }

    #[test]
    fn a_name_is_composed() {
        assert_eq!(read_name("e\u{301}.txt").as_deref(), Ok("é.txt"));
        assert_eq!(read_name("\u{1112}\u{1161}\u{11AB}").as_deref(), Ok("한"));
        assert_eq!(read_name("ﬁ①").as_deref(), Ok("ﬁ①"), "what only looks alike stays");
        assert_eq!(read_name("\u{958}").as_deref(), Ok("\u{915}\u{93C}"), "some have no composed form");
        // The length is that of the name as it is kept: 255 bytes in all.
        assert!(read_name(&"e\u{301}".repeat(127)).is_ok());
    }
}
