//! Bulk encryption and hashing, which a runtime may do faster than wasm can.
//!
//! What is sealed, and how nonces are chosen, is decided in `crypto/`; here is only AES-256-GCM
//! (NIST SP 800-38D) and the three hashes.

use async_trait::async_trait;
use bytes::Bytes;

/// Bytes that AES-GCM adds to a segment.
pub const SEGMENT_TAG: usize = 16;

/// Why a segment could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// The tag does not match: wrong key, wrong nonce or changed bytes.
    #[error("authentication failed")]
    Tag,
    /// The runtime's implementation failed.
    #[error("the cipher failed")]
    Failed,
}

/// The hashes that are kept of every content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// SHA-1, which sync clients compare.
    pub sha1: [u8; 20],
    /// MD5, which rclone and S3 tools compare.
    pub md5: [u8; 16],
    /// SHA-256.
    pub sha256: [u8; 32],
    /// Adler-32 (RFC 1950, 8.2), which old sync clients compare; big-endian.
    pub adler32: [u8; 4],
}

impl Digests {
    /// SHA-1, MD5, SHA-256 and Adler-32 in lower-case hexadecimal.
    pub fn hex(&self) -> [String; 4] {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        [hex(&self.sha1), hex(&self.md5), hex(&self.sha256), hex(&self.adler32)]
    }
}

/// A runtime's cryptography.
#[async_trait(?Send)]
pub trait Crypto {
    /// AES-256-GCM under `key`, for many segments.
    async fn cipher(&self, key: &[u8; 32]) -> Result<Box<dyn SegmentCipher>, CryptoError>;

    /// Begins to hash a content.
    fn hasher(&self) -> Box<dyn ContentHasher>;
}

/// AES-256-GCM under one key, 16-byte tag appended, no additional data. The caller never uses a
/// nonce twice to seal.
#[async_trait(?Send)]
pub trait SegmentCipher {
    /// Ciphertext and tag.
    async fn seal(&self, nonce: [u8; 12], plain: Bytes) -> Result<Bytes, CryptoError>;

    /// The plaintext, or `CryptoError::Tag`.
    async fn open(&self, nonce: [u8; 12], sealed: Bytes) -> Result<Bytes, CryptoError>;
}

/// Computes the digests of a content while it streams.
#[async_trait(?Send)]
pub trait ContentHasher {
    /// Takes the next piece.
    async fn update(&mut self, data: &Bytes) -> Result<(), CryptoError>;

    /// The digests of all pieces.
    async fn finish(self: Box<Self>) -> Result<Digests, CryptoError>;
}
