//! `Upload-Concat`, the header of the extension concatenation.

use std::collections::BTreeSet;

use http::HeaderMap;

use super::headers::header_text;
use super::protocol::UPLOADS;
use crate::error::{Error, Result};

/// The header.
pub const CONCAT: &str = "upload-concat";

/// What it says of a part.
pub const PARTIAL: &str = "partial";

/// The most parts of a file.
const MOST_PARTS: usize = 100;

/// `Upload-Concat`.
pub enum Concat {
    /// The upload is a part of a file.
    Partial,
    /// The file is to be made of the uploads of these names.
    Final(Vec<String>),
}

impl Concat {
    /// Reads the header: 400 where it is malformed, or names too many uploads, or one twice.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(text) = header_text(headers, CONCAT)? else { return Ok(None) };
        if text == PARTIAL {
            return Ok(Some(Self::Partial));
        }
        let urls = text.strip_prefix("final;").map(str::split_ascii_whitespace);
        let names: Option<Vec<&str>> = urls.and_then(|urls| urls.map(name_of).collect());
        let names = names.filter(|names| !names.is_empty());
        let names = names.ok_or_else(|| Error::bad("the header Upload-Concat is malformed"))?;
        if names.len() > MOST_PARTS || names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            return Err(Error::bad(format!("a file has at most {MOST_PARTS} parts, each of them once")));
        }
        Ok(Some(Self::Final(names.into_iter().map(str::to_owned).collect())))
    }
}

/// The name of an upload by its URL, which may be without the host.
fn name_of(url: &str) -> Option<&str> {
    let (_, name) = url.rsplit_once(UPLOADS)?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Option<Vec<String>> {
        let headers = HeaderMap::from_iter([("upload-concat".parse().unwrap(), value.parse().unwrap())]);
        match Concat::read(&headers) {
            Ok(Some(Concat::Final(names))) => Some(names),
            Ok(Some(Concat::Partial)) => Some(Vec::new()),
            _ => None,
        }
    }

    #[test]
    fn parts_are_named_by_their_urls() {
        assert_eq!(read("partial"), Some(Vec::new()));
        assert_eq!(read("final;/api/v1/uploads/a  https://x/p/api/v1/uploads/b").unwrap(), ["a", "b"]);
        for malformed in ["", "final", "final;", "final; ", "final;/a", "final;/api/v1/uploads/", "Partial", "partial;"]
        {
            assert_eq!(read(malformed), None, "{malformed}");
        }
        assert_eq!(read("final;/api/v1/uploads/a /api/v1/uploads/a"), None);
    }
}
