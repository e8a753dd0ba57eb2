//! `Crypto` by the RustCrypto crates.

use adler2::Adler32;
use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use async_trait::async_trait;
use bytes::Bytes;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::ports::{ContentHasher, Crypto, CryptoError, Digests, SegmentCipher};

/// Cryptography in software (with AES instructions where the processor has them).
pub struct RustCrypto;

#[async_trait(?Send)]
impl Crypto for RustCrypto {
    async fn cipher(&self, key: &[u8; 32]) -> Result<Box<dyn SegmentCipher>, CryptoError> {
        Ok(Box::new(GcmCipher(Aes256Gcm::new(key.into()))))
    }

    fn hasher(&self) -> Box<dyn ContentHasher> {
        Box::new(Hasher::default())
    }
}

struct GcmCipher(Aes256Gcm);

#[async_trait(?Send)]
impl SegmentCipher for GcmCipher {
    async fn seal(&self, nonce: [u8; 12], plain: Bytes) -> Result<Bytes, CryptoError> {
        self.0.encrypt(&Nonce::from(nonce), &*plain).map(Bytes::from).map_err(|_| CryptoError::Failed)
    }

    async fn open(&self, nonce: [u8; 12], sealed: Bytes) -> Result<Bytes, CryptoError> {
        self.0.decrypt(&Nonce::from(nonce), &*sealed).map(Bytes::from).map_err(|_| CryptoError::Tag)
    }
}

#[derive(Default)]
struct Hasher {
    sha1: Sha1,
    md5: Md5,
    sha256: Sha256,
    adler32: Adler32,
}

#[async_trait(?Send)]
impl ContentHasher for Hasher {
    async fn update(&mut self, data: &Bytes) -> Result<(), CryptoError> {
        self.sha1.update(data);
        self.md5.update(data);
        self.sha256.update(data);
        self.adler32.write_slice(data);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Digests, CryptoError> {
        Ok(Digests {
            sha1: self.sha1.finalize().into(),
            md5: self.md5.finalize().into(),
            sha256: self.sha256.finalize().into(),
            adler32: self.adler32.checksum().to_be_bytes(),
        })
    }
}
