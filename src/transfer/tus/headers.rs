//! What TUS asks in headers.

use data_encoding::BASE64;
use http::{HeaderMap, HeaderValue};

use crate::error::{Error, Result};
use crate::ports::Count;
use crate::store::{Algorithm, Checksum};

/// Those that are understood there.
pub const CHECKSUMS: &str = "sha1,md5,sha256";

/// `Upload-Checksum`: 400 where it is malformed.
pub fn checksum(headers: &HeaderMap) -> Result<Option<Checksum>> {
    let Some(text) = header_text(headers, "upload-checksum")? else { return Ok(None) };
    let malformed = || Error::bad("the header Upload-Checksum is malformed, or of an unknown algorithm");
    let (name, value) = text.split_once(' ').ok_or_else(malformed)?;
    let algorithm =
        CHECKSUMS.split(',').find(|known| *known == name).and_then(Algorithm::parse).ok_or_else(malformed)?;
    let value = BASE64.decode(value.trim().as_bytes()).map_err(|_| malformed())?;
    Ok(Some(Checksum { algorithm, value }))
}

/// The text of a header: 400 where it is none.
pub fn header_text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>> {
    let value = headers.get(name).map(HeaderValue::to_str).transpose();
    value.map_err(|_| Error::bad(format!("the header {name} is malformed")))
}

/// The number in a header: 400 for none, and for one that is too large.
pub fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<i64>> {
    let Some(text) = header_text(headers, name)? else { return Ok(None) };
    let number = Count::parse(text).map(|number| Some(number.get()));
    number.ok_or_else(|| Error::bad(format!("the header {name} is not a number, or too large")))
}
