//! The administrator's token.

use http::HeaderMap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::credentials::bearer;
use crate::config::Config;
use crate::error::{Error, Result};

/// Goes on only for the bearer of `ADMIN_TOKEN`. 401 for any other, and where none is set.
pub fn require_admin(config: &Config, headers: &HeaderMap) -> Result<()> {
    let (Some(expected), Some(given)) = (&config.admin_token, bearer(headers)) else {
        return Err(Error::Unauthorized);
    };
    // Hashes, so that the comparison takes as long for every length.
    let equal = Sha256::digest(expected.as_bytes()).ct_eq(&Sha256::digest(given.as_bytes()));
    if bool::from(equal) { Ok(()) } else { Err(Error::Unauthorized) }
}
