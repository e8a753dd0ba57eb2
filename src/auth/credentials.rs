//! The Authorization header (RFC 9110, 11.6.2): Bearer, or Basic with the token as password.

use data_encoding::BASE64;
use http::{HeaderMap, HeaderValue, header};

use super::token;
use crate::error::{Error, Result};
use crate::store::Credentials;

/// Who asks, as the request says; whether the token exists, the drive knows. 401 for everything
/// that cannot be a token.
pub fn credentials(headers: &HeaderMap) -> Result<Credentials> {
    parse(headers).ok_or(Error::Unauthorized)
}

/// Whose a token is that somebody shows in another way than by a header. 401 for what cannot be a token.
pub fn credentials_of(token: &str) -> Result<Credentials> {
    token::parse(token).ok_or(Error::Unauthorized)
}

fn parse(headers: &HeaderMap) -> Option<Credentials> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return token::parse(value);
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    // The user name is ignored, so it is not decoded either: many clients send it in Latin-1. Up to the first colon it ends
    // in any charset that RFC 7617 allows.
    let pair = BASE64.decode(value.as_bytes()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    token::parse(std::str::from_utf8(pair.get(colon + 1..)?).ok()?)
}

/// Whether a user's name and password are sent, which browsers remember.
pub fn is_basic(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).map_or(&[][..], HeaderValue::as_bytes).trim_ascii_start();
    value.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
}

/// The bearer of the header, if there is one.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<i64> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        parse(&headers).map(|credentials| credentials.account)
    }

    #[test]
    fn a_token_comes_as_bearer_or_as_password() {
        let token = format!("ocl_7_{}", "a".repeat(43));
        assert_eq!(read(&format!("Bearer {token}")), Some(7));
        assert_eq!(read(&format!("bearer  {token} ")), Some(7));
        assert_eq!(read(&format!("Basic {}", BASE64.encode(format!("me:{token}").as_bytes()))), Some(7));
        assert_eq!(read(&format!("Basic {}", BASE64.encode(format!(":{token}").as_bytes()))), Some(7));
    }

    #[test]
    fn a_user_name_of_any_bytes_is_ignored() {
        let basic = |pair: &[u8]| read(&format!("Basic {}", BASE64.encode(pair)));
        let token = format!("ocl_7_{}", "a".repeat(43));
        for user in [&b"M\xFCller"[..], b"B\xDCRO\\J\xF6rg", "Müller".as_bytes(), b"\xFF\xFE\0"] {
            assert_eq!(basic(&[user, b":", token.as_bytes()].concat()), Some(7), "{user:?}");
        }
        assert_eq!(basic(&[b"M\xFCller:", &token.as_bytes()[1..]].concat()), None);
        assert_eq!(basic(&[b"me:".as_slice(), token.as_bytes(), b"\xFF"].concat()), None);
        assert_eq!(basic(&[b"me:you:".as_slice(), token.as_bytes()].concat()), None);
    }

    #[test]
    fn nonsense_is_no_token() {
        for value in ["", "Bearer", "Bearer x", "Basic !!!", "Basic bWU=", "Digest username=x", "Basic /w=="] {
            assert_eq!(read(value), None, "{value}");
        }
    }
}
