//! The header OC-Checksum: what a sync client has computed of the file that it uploads, and what it is told of one that it
//! downloads. And X-Hash: what it wants to be told of what it has uploaded.

use data_encoding::HEXLOWER;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::headers::HeaderError;
use crate::body::Body;
use crate::error::{Error, Result};
use crate::store::{Algorithm, Checksum, Content, ContentInfo, Drive};

const MALFORMED: HeaderError = HeaderError("OC-Checksum");

/// Reads the header; none without it, and as `parse`.
pub fn read(headers: &HeaderMap) -> Result<Option<Checksum>, HeaderError> {
    let Some(value) = headers.get("oc-checksum") else { return Ok(None) };
    parse(value.to_str().map_err(|_| MALFORMED)?)
}

/// Reads `ALGORITHM:HEX`; none where the algorithm is one that is not computed here. 400 for what is no checksum.
pub fn parse(value: &str) -> Result<Option<Checksum>, HeaderError> {
    let (name, _) = value.trim().split_once(':').ok_or(MALFORMED)?;
    if Algorithm::parse(name).is_none() {
        return Ok(None);
    }
    Checksum::parse(value).map(Some).ok_or(MALFORMED)
}

/// Tells a client that gets a whole content what to hold it against. SHA-1 is what all of them compute.
pub fn add_known(content: Option<&ContentInfo>, response: &mut Response<Body>) {
    let Some(content) = content.filter(|_| response.status() == StatusCode::OK) else { return };
    let sum = Algorithm::Sha1.recorded(content);
    if let (false, Ok(value)) = (sum.is_empty(), HeaderValue::try_from(format!("{}:{sum}", Algorithm::Sha1.name()))) {
        response.headers_mut().insert(HeaderName::from_static("oc-checksum"), value);
    }
}

/// Throws a content away that is not what the client has sent: 400.
pub async fn verify(drive: &Drive, checksum: Option<&Checksum>, content: &Content) -> Result<()> {
    if checksum.is_none_or(|checksum| checksum.holds(content)) {
        return Ok(());
    }
    drive.discard(content).await;
    Err(Error::bad("The computed checksum does not match the one received from the client."))
}

/// Adds the digests that X-Hash asks for: `md5`, `sha1`, `sha256` or `all`.
pub fn add_asked(headers: &HeaderMap, content: &Content, answer: &mut HeaderMap) {
    let Some(asked) = headers.get("x-hash").and_then(|asked| asked.to_str().ok()) else { return };
    let Some(digests) = &content.digests else { return };
    for (algorithm, name) in
        [(Algorithm::Md5, "x-hash-md5"), (Algorithm::Sha1, "x-hash-sha1"), (Algorithm::Sha256, "x-hash-sha256")]
    {
        if [algorithm.name(), "all"].iter().any(|word| asked.trim().eq_ignore_ascii_case(word))
            && let Ok(value) = HeaderValue::try_from(HEXLOWER.encode(algorithm.of(digests)))
        {
            answer.insert(HeaderName::from_static(name), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn hex_of(value: &str) -> Result<Option<String>, HeaderError> {
        let mut headers = HeaderMap::new();
        headers.insert("oc-checksum", HeaderValue::from_str(value).unwrap());
        Ok(read(&headers)?.map(|checksum| data_encoding::HEXLOWER.encode(&checksum.value)))
    }

    #[test]
    fn a_checksum_is_a_name_and_digits() {
        assert_eq!(read(&HeaderMap::new()), Ok(None));
        let md5 = "900150983cd24fb0d6963f7d28e17f72";
        assert_eq!(hex_of(&format!("MD5:{md5}")), Ok(Some(md5.to_owned())));
        assert_eq!(hex_of(&format!("md5:{}", md5.to_uppercase())), Ok(Some(md5.to_owned())));
        assert_eq!(hex_of("ADLER32:24d0127"), Ok(Some("024d0127".to_owned())));
        assert_eq!(hex_of("SHA3-256:00"), Ok(None), "not computed here");
        for wrong in ["", "MD5", "MD5:", "MD5:00", "SHA1:xyz", "ADLER32:", "ADLER32:024d01270"] {
            assert!(hex_of(wrong).is_err(), "{wrong}");
        }
    }
}
