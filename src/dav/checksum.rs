//! The header OC-Checksum: what a sync client has computed of the file that it uploads.

use http::HeaderMap;

use super::headers::HeaderError;
use crate::store::Content;

/// A checksum that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    algorithm: Algorithm,
    /// In lower-case hexadecimal.
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Sha1,
    Md5,
    Sha256,
    Adler32,
}

impl Checksum {
    /// Reads `ALGORITHM:HEX`; none without the header, and where the algorithm is one that is not computed here. 400 for
    /// what is no checksum.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, HeaderError> {
        let Some(value) = headers.get("oc-checksum") else { return Ok(None) };
        let malformed = HeaderError("OC-Checksum");
        let (name, value) = value.to_str().ok().and_then(|value| value.trim().split_once(':')).ok_or(malformed)?;
        let (algorithm, digits) = match name.to_ascii_uppercase().as_str() {
            "SHA1" => (Algorithm::Sha1, 40),
            "MD5" => (Algorithm::Md5, 32),
            "SHA256" => (Algorithm::Sha256, 64),
            "ADLER32" => (Algorithm::Adler32, 8),
            _ => return Ok(None),
        };
        // Some write Adler-32 as a number, without zeros before it.
        let is_short = algorithm == Algorithm::Adler32 && !value.is_empty() && value.len() <= digits;
        if (value.len() != digits && !is_short) || !value.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(malformed);
        }
        Ok(Some(Self { algorithm, value: format!("{:0>digits$}", value.to_ascii_lowercase()) }))
    }

    /// Whether the content is what the client has uploaded; true where its digests are not known.
    pub fn holds(&self, content: &Content) -> bool {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        content.digests.as_ref().is_none_or(|digests| {
            self.value
                == match self.algorithm {
                    Algorithm::Sha1 => hex(&digests.sha1),
                    Algorithm::Md5 => hex(&digests.md5),
                    Algorithm::Sha256 => hex(&digests.sha256),
                    Algorithm::Adler32 => hex(&digests.adler32),
                }
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(value: &str) -> Result<Option<String>, HeaderError> {
        let mut headers = HeaderMap::new();
        headers.insert("oc-checksum", HeaderValue::from_str(value).unwrap());
        Ok(Checksum::read(&headers)?.map(|checksum| checksum.value))
    }

    #[test]
    fn a_checksum_is_a_name_and_digits() {
        assert_eq!(Checksum::read(&HeaderMap::new()), Ok(None));
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        assert_eq!(read(&format!("MD5:{md5}")), Ok(Some(md5.to_owned())));
        assert_eq!(read(&format!("md5:{}", md5.to_uppercase())), Ok(Some(md5.to_owned())));
        assert_eq!(read("ADLER32:24d0127"), Ok(Some("024d0127".to_owned())));
        assert_eq!(read("SHA3-256:00"), Ok(None), "not computed here");
        for wrong in ["", "MD5", "MD5:", "MD5:00", "SHA1:xyz", "ADLER32:", "ADLER32:024d01270"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
