//! What a client has computed of the bytes that it sends.

use std::fmt::{self, Display};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use crate::ports::Digests;
use crate::store::ground::content_info::ContentInfo;

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
    /// Reads `ALGORITHM:HEX`, as it is recorded and as clients of ownCloud and Nextcloud write it; none for what is no
    /// checksum, or of an algorithm that is not computed here.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.trim().split_once(':')?;
        let algorithm = Algorithm::parse(name)?;
        let digits = algorithm.digits();
        // Some write Adler-32 as a number, without zeros before it.
        let is_short = algorithm == Algorithm::Adler32 && !value.is_empty() && value.len() < digits;
        if value.len() != digits && !is_short {
            return None;
        }
        let value = HEXLOWER_PERMISSIVE.decode(format!("{value:0>digits$}").as_bytes()).ok()?;
        Some(Self { algorithm, value })
    }

    /// Whether it is that of a content with these digests.
    pub fn is_of(&self, digests: &Digests) -> bool {
        self.value == self.algorithm.of(digests)
    }
}

impl Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.name(), HEXLOWER.encode(&self.value))
    }
}
