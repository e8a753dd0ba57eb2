//! What an upload is for, as its row keeps it.

use serde::{Deserialize, Serialize};

use super::concat::PARTIAL;
use crate::error::{Error, Result};
use crate::ports::Millis;
use crate::store::ChunkedUpload;

/// What an upload is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Purpose {
    /// `Upload-Metadata` as it came, which HEAD repeats.
    pub metadata: String,
    /// `Upload-Concat` as it came, which HEAD repeats.
    pub concat: Option<String>,
    /// None for a part of a file, which is made of its parts later, and for what was made of them.
    #[serde(flatten)]
    pub target: Option<Target>,
}

impl Purpose {
    /// Whether the upload is a part of a file that is not made yet.
    pub fn is_partial(&self) -> bool {
        self.concat.as_deref() == Some(PARTIAL)
    }

    /// Whether it was made of parts.
    pub fn is_final(&self) -> bool {
        self.concat.is_some() && !self.is_partial()
    }

    /// As a row keeps it.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(Error::internal)
    }
}

/// Where the file is to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    pub folder: i64,
    pub name: String,
    pub mime: Option<String>,
    pub modified_at: Option<Millis>,
    /// `ALGORITHM:HEX`
    #[serde(default)]
    pub checksum: Option<String>,
}

/// What an upload that came by TUS is for.
pub fn purpose(upload: &ChunkedUpload) -> Result<Purpose> {
    serde_json::from_str(upload.target.as_deref().unwrap_or_default()).map_err(Error::internal)
}
