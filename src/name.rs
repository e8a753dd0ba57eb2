//! What a file or folder may be called, in REST and WebDAV alike.

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

/// Whether `name` may be the name of a file or folder.
///
/// Control characters and U+FFFE and U+FFFF are refused because XML cannot carry them: such an
/// entry would break the listing of its folder for every WebDAV client.
pub fn check_name(name: &str) -> Result<(), NameError> {
    match name {
        "" => Err(NameError::Empty),
        "." | ".." => Err(NameError::Dots),
        _ if name.len() > MAX_NAME => Err(NameError::TooLong),
        _ if name.contains(is_forbidden) => Err(NameError::Character),
        _ => Ok(()),
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
            assert_eq!(check_name(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn names_with_a_meaning_in_paths_are_refused() {
        assert_eq!(check_name(""), Err(NameError::Empty));
        assert_eq!(check_name("."), Err(NameError::Dots));
        assert_eq!(check_name(".."), Err(NameError::Dots));
        assert_eq!(check_name("a/b"), Err(NameError::Character));
    }

    #[test]
    fn characters_that_xml_cannot_carry_are_refused() {
        for c in (0..0x20).chain([0x7F, 0xFFFE, 0xFFFF]) {
            let name = format!("a{}b", char::from_u32(c).unwrap());
            assert_eq!(check_name(&name), Err(NameError::Character), "{c:x}");
        }
    }

    #[test]
    fn length_is_counted_in_bytes() {
        assert_eq!(check_name(&"a".repeat(255)), Ok(()));
        assert_eq!(check_name(&"a".repeat(256)), Err(NameError::TooLong));
        assert_eq!(check_name(&"я".repeat(127)), Ok(()));
        assert_eq!(check_name(&"я".repeat(128)), Err(NameError::TooLong));
    }
}
