//! Master keys, and the wrapping of blobs' keys under them.
//!
//! AES-256-GCM by the crate `aes-gcm`, not by the port: 32 bytes cost microseconds anywhere,
//! and wrapping needs additional data, which the port does not offer.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use data_encoding::BASE64;

const NONCE: usize = 12;

/// The keys of `ENCRYPTION_KEYS`. The first one wraps, all of them unwrap: a new key is put first,
/// and an old one stays until nothing is wrapped by it any more.
pub struct MasterKeys {
    wrapping: MasterKey,
    retired: Vec<MasterKey>,
}

struct MasterKey {
    id: String,
    cipher: Aes256Gcm,
}

/// Why a wrapped key does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not of the form that `wrap` gives.
    #[error("the wrapped key is malformed")]
    Malformed,
    /// Wrapped by a master key that is not configured; holds its id.
    #[error("the key is wrapped by master key {0:?}, which is not configured")]
    UnknownMaster(String),
    /// Wrapped by another master key of the same id, for another owner, or changed since.
    #[error("the wrapped key does not open: it was changed, or the master key is another one")]
    Tag,
}

impl MasterKeys {
    /// Reads `id:key` pairs that are separated by commas: ids of 1 to 16 characters of `a-z`,
    /// `0-9` and `-`, keys of 32 bytes in base64. The error is a sentence that tells entries by
    /// their place, so that it shows no part of a secret, however the setting was garbled.
    pub fn parse(setting: &str) -> Result<Self, String> {
        let mut keys: Vec<MasterKey> = Vec::new();
        for (place, entry) in (1..).zip(setting.split(',')) {
            let key = MasterKey::parse(entry.trim()).map_err(|problem| format!("entry {place} {problem}"))?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(format!("entry {place} has the id of an earlier one"));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let wrapping = keys.next().ok_or("holds no key")?;
        Ok(Self { wrapping, retired: keys.collect() })
    }

    /// Wraps `key` under the first master key: `id:base64(nonce, ciphertext, tag)`. `aad` says what
    /// the key belongs to, see `blob_aad`; `nonce` is random. 96 random bits bear 2^32 wrappings
    /// under one master key (NIST SP 800-38D, 8.3).
    ///
    /// # Panics
    /// Never: AES-GCM refuses only messages of more than 64 GiB.
    pub fn wrap(&self, key: &[u8; 32], aad: &str, nonce: [u8; NONCE]) -> String {
        self.seal(key, aad, nonce)
    }

    /// The key that was wrapped with the same `aad`.
    pub fn unwrap(&self, wrapped: &str, aad: &str) -> Result<[u8; 32], KeyError> {
        self.open(wrapped, aad)?.try_into().map_err(|_| KeyError::Malformed)
    }

    /// Seals a short secret, of any length, as `wrap` does a key.
    ///
    /// # Panics
    /// Never, as `wrap`.
    pub fn seal(&self, secret: &[u8], aad: &str, nonce: [u8; NONCE]) -> String {
        let payload = Payload { msg: secret, aad: aad.as_bytes() };
        let ciphertext = self.wrapping.cipher.encrypt(&Nonce::from(nonce), payload).expect("a secret is short enough");
        format!("{}:{}", self.wrapping.id, BASE64.encode(&[nonce.as_slice(), &ciphertext].concat()))
    }

    /// The secret that was sealed with the same `aad`.
    pub fn open(&self, sealed: &str, aad: &str) -> Result<Vec<u8>, KeyError> {
        let (id, text) = sealed.split_once(':').ok_or(KeyError::Malformed)?;
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE>().ok_or(KeyError::Malformed)?;
        let master = self.all().find(|key| key.id == id).ok_or_else(|| KeyError::UnknownMaster(id.to_owned()))?;
        let payload = Payload { msg: ciphertext, aad: aad.as_bytes() };
        master.cipher.decrypt(&Nonce::from(*nonce), payload).map_err(|_| KeyError::Tag)
    }

    /// The ids of the keys; the first one is that of the key that wraps.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all().map(|key| key.id.as_str())
    }

    fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.wrapping).chain(&self.retired)
    }
}

/// The ids only.
impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MasterKeys").field(&self.all().map(|key| &key.id).collect::<Vec<_>>()).finish()
    }
}

impl MasterKey {
    /// The error is the end of a sentence.
    fn parse(entry: &str) -> Result<Self, &'static str> {
        let (id, key) = entry.split_once(':').ok_or("is not of the form id:key")?;
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if id.is_empty() || id.len() > 16 || !id.bytes().all(allowed) {
            return Err("has an id that is not 1 to 16 characters of a-z, 0-9 and '-'");
        }
        let key = BASE64.decode(key.as_bytes()).map_err(|_| "has a key that is not base64")?;
        let key: [u8; 32] = key.try_into().map_err(|_| "has a key that is not 32 bytes long")?;
        Ok(Self { id: id.to_owned(), cipher: Aes256Gcm::new(&key.into()) })
    }
}

/// The additional data for the key of a blob: a wrapped key that is moved to another blob or
/// another account does not open.
pub fn blob_aad(account: i64, blob_key: &str) -> String {
    format!("blob:{account}:{blob_key}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(id: &str, byte: u8) -> String {
        format!("{id}:{}", BASE64.encode(&[byte; 32]))
    }

    fn keys(entries: &[String]) -> MasterKeys {
        MasterKeys::parse(&entries.join(",")).unwrap()
    }

    #[test]
    fn the_first_key_wraps_and_all_unwrap() {
        let aad = blob_aad(7, "b/1");
        let old = keys(&[entry("k1", 1)]);
        let rotated = keys(&[entry("k2", 2), entry("k1", 1)]);
        let wrapped_before = old.wrap(&[9; 32], &aad, [3; 12]);
        let wrapped_after = rotated.wrap(&[9; 32], &aad, [3; 12]);
        assert!(wrapped_before.starts_with("k1:") && wrapped_after.starts_with("k2:"));
        assert_eq!(rotated.unwrap(&wrapped_before, &aad), Ok([9; 32]));
        assert_eq!(rotated.unwrap(&wrapped_after, &aad), Ok([9; 32]));
        assert_eq!(old.unwrap(&wrapped_after, &aad), Err(KeyError::UnknownMaster("k2".to_owned())));
    }

    #[test]
    fn another_account_blob_or_master_key_does_not_open_it() {
        let master = keys(&[entry("k1", 1)]);
        let wrapped = master.wrap(&[9; 32], &blob_aad(1, "2/x"), [3; 12]);
        for aad in [blob_aad(2, "2/x"), blob_aad(1, "2/y"), blob_aad(12, "/x"), String::new()] {
            assert_eq!(master.unwrap(&wrapped, &aad), Err(KeyError::Tag), "{aad}");
        }
        let other = keys(&[entry("k1", 2)]);
        assert_eq!(other.unwrap(&wrapped, &blob_aad(1, "2/x")), Err(KeyError::Tag));
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_noticed() {
        let master = keys(&[entry("k1", 1)]);
        let wrapped = master.wrap(&[9; 32], "aad", [3; 12]);
        let bytes = BASE64.decode(&wrapped.as_bytes()[3..]).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(master.unwrap(&format!("k1:{}", BASE64.encode(&changed)), "aad"), Err(KeyError::Tag));
        }
        for length in 0..bytes.len() {
            assert!(master.unwrap(&format!("k1:{}", BASE64.encode(&bytes[..length])), "aad").is_err());
        }
    }

    #[test]
    fn a_setting_that_is_wrong_is_refused_in_a_sentence_without_secrets() {
        let good = entry("k1", 0xAA);
        let secret = BASE64.encode(&[0xAA; 32]);
        for (setting, problem) in [
            (String::new(), "entry 1 is not of the form id:key"),
            (secret.clone(), "entry 1 is not of the form id:key"),
            (format!("{good},"), "entry 2 is not of the form id:key"),
            (format!(":{secret}"), "entry 1 has an id that is not"),
            (format!("K1:{secret}"), "entry 1 has an id that is not"),
            (format!("{}:{secret}", "k".repeat(17)), "entry 1 has an id that is not"),
            (format!("{secret}:{secret}"), "entry 1 has an id that is not"),
            (format!("k1:{}", &secret[1..]), "entry 1 has a key that is not base64"),
            (format!("k1:{secret}:x"), "entry 1 has a key that is not base64"),
            (format!("k1:{}", BASE64.encode(&[0xAA; 31])), "entry 1 has a key that is not 32 bytes long"),
            (format!("k1:{}", BASE64.encode(&[0xAA; 33])), "entry 1 has a key that is not 32 bytes long"),
            (format!("{good},{good}"), "entry 2 has the id of an earlier one"),
        ] {
            let error = MasterKeys::parse(&setting).unwrap_err();
            assert!(error.starts_with(problem), "{error}");
            assert!(!error.contains("qqqq"), "{error}");
        }
    }

    #[test]
    fn spaces_and_line_ends_around_entries_are_passed_over() {
        let setting = format!(" {} ,\n{}\n", entry("k2", 2), entry("k1", 1));
        assert_eq!(format!("{:?}", MasterKeys::parse(&setting).unwrap()), r#"MasterKeys(["k2", "k1"])"#);
    }

    proptest! {
        #[test]
        fn unwrapping_anything_never_panics(wrapped in "(k1:)?[A-Za-z0-9+/=:]{0,90}", aad in ".{0,20}") {
            prop_assert!(keys(&[entry("k1", 1)]).unwrap(&wrapped, &aad).is_err());
        }

        #[test]
        fn what_is_wrapped_unwraps(key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), aad in ".{0,40}") {
            let master = keys(&[entry("k1", 1)]);
            prop_assert_eq!(master.unwrap(&master.wrap(&key, &aad, nonce), &aad), Ok(key));
        }
    }
}
