//! What is known of a content: its digests, what a virus scanner said of it, its parts.
//!
//! A content is settled when its state is `clean` or `skipped`.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::media::Media;

/// Whether a row of `contents` is settled.
pub(in crate::store) const SETTLED: &str = "av IN ('clean', 'skipped')";

/// The contents that are not: few, and in an index.
pub(in crate::store) const UNSETTLED_CONTENTS: &str = "SELECT id FROM contents WHERE av NOT IN ('clean', 'skipped')";

/// What is known of a content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AvStatus {
    /// A job is to ask the scanner.
    Pending,
    /// The scanner has found nothing.
    Clean,
    /// The scanner has found something.
    Infected,
    /// The scanner was asked many times and could not tell.
    Error,
    /// There was no scanner, or it takes no file that large.
    #[default]
    Skipped,
}

impl AvStatus {
    /// As in the database and in DAV; in REST in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Clean => "clean",
            Self::Infected => "infected",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }

    pub(in crate::store) fn is_settled(self) -> bool {
        matches!(self, Self::Clean | Self::Skipped)
    }
}

/// A blob that holds a stretch of a content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// Its key in the object store.
    pub blob_key: String,
    /// Plaintext bytes, at least 1.
    pub size: i64,
    /// The key that it is sealed with, wrapped.
    pub wrapped_key: String,
}

/// What is known of a file's content.
#[derive(Debug, Clone, Deserialize)]
pub struct ContentInfo {
    /// SHA-1 in lower-case hexadecimal; like the others, empty until somebody has read all of it.
    pub sha1: String,
    /// MD5 in lower-case hexadecimal.
    pub md5: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Adler-32 in lower-case hexadecimal.
    #[serde(default)]
    pub adler32: String,
    /// What a virus scanner said of it.
    #[serde(default)]
    pub av: AvStatus,
    /// What the scanner found in it.
    pub signature: Option<String>,
    /// What it tells of itself, once a job has looked.
    #[serde(default)]
    pub media: Option<Media>,
    /// Whether its client said another digest of it.
    #[serde(default)]
    pub(in crate::store) mismatch: i64,
    /// The parts in order, where they were asked for.
    #[serde(default)]
    pub parts: Vec<Part>,
}

impl ContentInfo {
    /// Whether its digests, once they were computed, were other ones than its client had said: it was damaged on its way.
    pub fn is_mismatch(&self) -> bool {
        self.mismatch != 0
    }

    /// The refusal of a content in which a virus was found.
    pub fn infected(&self) -> Error {
        Error::Infected(self.signature.clone().unwrap_or_default())
    }
}
