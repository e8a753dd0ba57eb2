//! Escaping of text and attribute values.

/// Appends character data. What XML cannot carry becomes U+FFFD.
pub(super) fn push_text(out: &mut String, text: &str) {
    push_escaped(out, text, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        // Readers take a bare one for a line feed.
        '\r' => Some("&#13;"),
        _ if !is_char(c) => Some("\u{FFFD}"),
        _ => None,
    });
}

/// Appends the value of an attribute, to stand in double quotes.
pub(super) fn push_attribute(out: &mut String, value: &str) {
    push_escaped(out, value, |c| match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        // Readers take bare ones for spaces.
        '\t' => Some("&#9;"),
        '\n' => Some("&#10;"),
        '\r' => Some("&#13;"),
        _ if !is_char(c) => Some("\u{FFFD}"),
        _ => None,
    });
}

/// Whether XML 1.0 (2.2) lets a document hold this character, be it as a reference.
pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// Copies the stretches between escaped characters whole: most text has none.
fn push_escaped(out: &mut String, text: &str, escape: impl Fn(char) -> Option<&'static str>) {
    let mut rest = text;
    while let Some((at, c, escaped)) = rest.char_indices().find_map(|(at, c)| Some((at, c, escape(c)?))) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        out.push_str(escaped);
        rest = tail.get(c.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut out = String::new();
        push_text(&mut out, text);
        out
    }

    fn attribute(value: &str) -> String {
        let mut out = String::new();
        push_attribute(&mut out, value);
        out
    }

    #[test]
    fn markup_is_escaped() {
        assert_eq!(text("a<b>&\"c\"'d'é🦀"), "a&lt;b&gt;&amp;\"c\"'d'é🦀");
        assert_eq!(attribute("a<b>&\"c\"'d'é🦀"), "a&lt;b&gt;&amp;&quot;c&quot;'d'é🦀");
        assert_eq!(text("]]>"), "]]&gt;");
        assert_eq!(text(""), "");
    }

    #[test]
    fn white_space_survives_the_reader() {
        assert_eq!(text("\t\r\n"), "\t&#13;\n");
        assert_eq!(attribute("\t\r\n"), "&#9;&#13;&#10;");
    }

    #[test]
    fn what_xml_cannot_carry_is_replaced() {
        assert_eq!(text("a\0\u{1}\u{1F}\u{FFFE}\u{FFFF}\u{7F}"), "a\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{7F}");
        assert_eq!(attribute("\u{8}"), "\u{FFFD}");
    }
}
