//! The header OC-Checksum: what a sync client has computed of the file that it uploads.

use data_encoding::HEXLOWER_PERMISSIVE;
use http::HeaderMap;

use super::headers::HeaderError;
use crate::transfer::{Algorithm, Checksum};

/// Reads `ALGORITHM:HEX`; none without the header, and where the algorithm is one that is not computed here. 400 for what
/// is no checksum.
pub fn read(headers: &HeaderMap) -> Result<Option<Checksum>, HeaderError> {
    let Some(value) = headers.get("oc-checksum") else { return Ok(None) };
    let malformed = HeaderError("OC-Checksum");
    let (name, value) = value.to_str().ok().and_then(|value| value.trim().split_once(':')).ok_or(malformed)?;
    let Some(algorithm) = Algorithm::parse(name) else { return Ok(None) };
    let digits = algorithm.digits();
    // Some write Adler-32 as a number, without zeros before it.
    let is_short = algorithm == Algorithm::Adler32 && !value.is_empty() && value.len() < digits;
    if value.len() != digits && !is_short {
        return Err(malformed);
    }
    let value = HEXLOWER_PERMISSIVE.decode(format!("{value:0>digits$}").as_bytes()).map_err(|_| malformed)?;
    Ok(Some(Checksum { algorithm, value }))
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
