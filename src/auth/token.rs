//! The text of a token: `ocl_`, the account's number, `_`, at least 256 random bits in base64url.
//!
//! The number lets a request go straight to the account's drive; it is no secret.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::ports::{Count, Ports};
use crate::store::Credentials;

/// A new token for the account: shown once, stored as its hash only.
pub fn new_secret(ports: &Ports, account: i64) -> String {
    let mut random = [0; 36];
    ports.random.fill(&mut random);
    let mut token = format!("ocl_{account}_{}", BASE64URL_NOPAD.encode(&random));
    // rclone takes a password that is valid base64 for one that it has obscured itself, and sends
    // something else. No base64 has a length of 4n + 1.
    while token.len() % 4 != 1 {
        token.pop();
    }
    token
}

/// SHA-256 of a token, in hexadecimal.
pub fn hash_token(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

/// Which account the token names, and its hash; none where it cannot be a token.
pub(super) fn parse(token: &str) -> Option<Credentials> {
    let (account, secret) = token.strip_prefix("ocl_")?.split_once('_')?;
    let account = Count::parse(account)?.get();
    (43..=48).contains(&secret.len()).then(|| Credentials { account, hash: hash_token(token) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_token_looks_like_base64() {
        let ports = crate::runtime::native::Native::in_memory().ports();
        for account in [1, 22, 333, 4444, 55555, 999_999_999_999_999] {
            let token = new_secret(&ports, account);
            assert_eq!(token.len() % 4, 1);
            assert_eq!(parse(&token).unwrap().account, account);
        }
    }

    #[test]
    fn a_token_names_its_account_and_nonsense_is_none() {
        let secret = "A-_bcdefghijklmnopqrstuvwxyz0123456789ABCDE";
        let credentials = parse(&format!("ocl_42_{secret}")).unwrap();
        assert_eq!(credentials.account, 42);
        assert_eq!(credentials.hash.len(), 64);
        for wrong in [
            String::new(),
            "ocl_".to_owned(),
            format!("ocl__{secret}"),
            format!("ocl_-1_{secret}"),
            format!("ocl_+1_{secret}"),
            format!("ocl_9223372036854775807_{secret}"),
            format!("ocl_42_{secret}xxxxxx"),
            format!("xcl_42_{secret}"),
        ] {
            assert!(parse(&wrong).is_none(), "{wrong}");
        }
    }
}
