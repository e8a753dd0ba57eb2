//! What `Content-Disposition: form-data` says of a part (RFC 7578, 4.2). multer knows it, but neither parameters in capitals
//! nor names that hold a folder.

use http::header;

use crate::error::{Error, Result};
use crate::transfer::PartReader;

/// The two parameters of a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FormData {
    /// The name of the field.
    pub name: Option<Vec<u8>>,
    /// The name of the file, as it came. `filename*` is not read: RFC 7578 forbids it.
    filename: Option<Vec<u8>>,
}

impl FormData {
    /// What is said of a part; nothing where it is malformed.
    pub fn of(part: &PartReader) -> Self {
        let value = part.headers().get(header::CONTENT_DISPOSITION);
        value.and_then(|value| Self::parse(value.as_bytes())).unwrap_or_default()
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let (kind, mut rest) = split_at_any(value, b";");
        if !kind.trim_ascii().eq_ignore_ascii_case(b"form-data") {
            return None;
        }
        let mut found = Self::default();
        while let Some(parameters) = rest.strip_prefix(b";") {
            let (key, after) = split_at_any(parameters, b"=;");
            let Some(text) = after.strip_prefix(b"=") else {
                rest = after;
                continue;
            };
            let (text, after) = value_of(text.trim_ascii_start())?;
            rest = after;
            match key.trim_ascii().to_ascii_lowercase().as_slice() {
                b"name" => found.name = Some(text),
                b"filename" => found.filename = Some(text),
                _ => {}
            }
        }
        Some(found)
    }

    /// The name of the file, without the folders of the client's machine, which are to be left off. 422 where it has none, 400
    /// where it is not UTF-8.
    ///
    /// Browsers, and libraries that follow them, write `%22` for `"` (the HTML standard, "Multipart form data"), which is
    /// taken back. They write `%0D` and `%0A` for the ends of lines, too; those stay, since no name may hold what they mean.
    pub fn file_name(&self) -> Result<String> {
        let name = self.filename.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| Error::Unprocessable("the file has no name".to_owned()))?;
        let name = std::str::from_utf8(name).map_err(|_| Error::bad("the name of the file is not UTF-8"))?;
        Ok(last_segment(name).replace("%22", "\""))
    }
}

/// What comes before the first of `ends`, and the rest from there.
fn split_at_any<'v>(value: &'v [u8], ends: &[u8]) -> (&'v [u8], &'v [u8]) {
    let end = value.iter().position(|byte| ends.contains(byte)).unwrap_or(value.len());
    value.split_at(end)
}

/// A token, or a quoted string without its quotes, and what follows it; none for a string that does not end. A backslash
/// escapes a quote or another backslash and stands for itself before anything else, as in `C:\fakepath\photo.jpg`.
fn value_of(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let (token, rest) = split_at_any(text, b";");
        return Some((token.trim_ascii().to_vec(), rest));
    };
    let mut value = Vec::new();
    loop {
        match rest {
            [b'"', after @ ..] => return Some((value, split_at_any(after, b";").1)),
            [b'\\', escaped @ (b'"' | b'\\'), after @ ..] | [escaped, after @ ..] => {
                value.push(*escaped);
                rest = after;
            }
            [] => return None,
        }
    }
}

/// The last segment of a path of Unix, or of Windows if it begins like one: on Unix, a name may hold a backslash.
fn last_segment(name: &str) -> &str {
    let is_windows =
        matches!(name.as_bytes(), [drive, b':', b'\\', ..] if drive.is_ascii_alphabetic()) || name.starts_with(r"\\");
    name.rsplit(|c| c == '/' || (is_windows && c == '\\')).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_name(value: &str) -> Option<String> {
        FormData::parse(value.as_bytes())?.file_name().ok()
    }

    #[test]
    fn a_name_is_kept_and_its_folders_are_left_off() {
        for (filename, expected) in [
            (r#"filename="a b.txt""#, "a b.txt"),
            (r#"filename="Рисунок 1.png""#, "Рисунок 1.png"),
            (r"filename=plain.txt; filename*=utf-8''other.txt", "plain.txt"),
            (r#"FileName="caps.txt""#, "caps.txt"),
            (r#"filename = "spaces.txt" "#, "spaces.txt"),
            (r#"filename="a\"b.txt""#, "a\"b.txt"),
            (r#"filename="a%22b.txt""#, "a\"b.txt"),
            (r#"filename="50%25 %0A.txt""#, "50%25 %0A.txt"),
            (r#"filename="a;b=c.txt""#, "a;b=c.txt"),
            (r#"filename="photos/2024/sub.txt""#, "sub.txt"),
            (r#"filename="C:\fakepath\win.txt""#, "win.txt"),
            (r#"filename="C:\\dir\\win.txt""#, "win.txt"),
            (r#"filename="\\\\server\\share\\win.txt""#, "win.txt"),
            (r#"filename="a\\b.txt""#, r"a\b.txt"),
            (r#"filename="a\b.txt""#, r"a\b.txt"),
            (r#"filename="../..""#, ".."),
            (r#"filename="dir/""#, ""),
        ] {
            assert_eq!(
                file_name(&format!("form-data; name=\"file\"; {filename}")).as_deref(),
                Some(expected),
                "{filename}"
            );
        }
    }

    #[test]
    fn what_has_no_name_has_none() {
        for value in [
            "",
            "attachment; filename=a",
            "form-data",
            "form-data; filename",
            "form-data; filename=",
            "form-data; filename=\"\"",
            "form-data; filename=\"a",
            "form-data; filename*=utf-8''a",
        ] {
            assert_eq!(file_name(value), None, "{value}");
        }
        let not_utf8 = FormData::parse(b"form-data; filename=\"\xE9\"").unwrap();
        assert!(matches!(not_utf8.file_name(), Err(Error::BadRequest(_))));
    }

    #[test]
    fn the_field_has_a_name() {
        let name = |value: &str| FormData::parse(value.as_bytes()).and_then(|found| found.name);
        assert_eq!(name("form-data; Name=file"), Some(b"file".to_vec()));
        assert_eq!(name("FORM-DATA;name=\"file\";x"), Some(b"file".to_vec()));
        assert_eq!(name("form-data; filename=\"name=file\""), None);
    }
}
