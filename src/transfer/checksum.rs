//! What a client has computed of the bytes that it sends.

use crate::ports::Digests;
use crate::store::{Content, ContentInfo};

/// A way of computing a checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1
    Sha1,
    /// MD5
    Md5,
    /// SHA-256
    Sha256,
    /// Adler-32 (RFC 1950, 8.2)
    Adler32,
}

impl Algorithm {
    /// The algorithm of that name, in upper or lower case; none for one that is not computed here.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Md5, Self::Sha256, Self::Adler32].into_iter().find(|it| name.eq_ignore_ascii_case(it.name()))
    }

    /// `SHA1`, `MD5`, `SHA256` or `ADLER32`
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA256",
            Self::Adler32 => "ADLER32",
        }
    }

    /// The hexadecimal digits of a checksum.
    pub fn digits(self) -> usize {
        match self {
            Self::Sha1 => 40,
            Self::Md5 => 32,
            Self::Sha256 => 64,
            Self::Adler32 => 8,
        }
    }

    /// The checksum among the digests of a content.
    pub fn of(self, digests: &Digests) -> &[u8] {
        match self {
            Self::Sha1 => &digests.sha1,
            Self::Md5 => &digests.md5,
            Self::Sha256 => &digests.sha256,
            Self::Adler32 => &digests.adler32,
        }
    }

    /// The checksum in hexadecimal, as it is recorded of a content; empty while it is not known.
    pub fn recorded(self, content: &ContentInfo) -> &str {
        match self {
            Self::Sha1 => &content.sha1,
            Self::Md5 => &content.md5,
            Self::Sha256 => &content.sha256,
            Self::Adler32 => &content.adler32,
        }
    }
}

/// A checksum that a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// How it was computed.
    pub algorithm: Algorithm,
    /// The bytes.
    pub value: Vec<u8>,
}

impl Checksum {
    /// Whether the content is what the client has sent; true where its digests are not known.
    pub fn holds(&self, content: &Content) -> bool {
        content.digests.as_ref().is_none_or(|digests| self.value == self.algorithm.of(digests))
    }
}
