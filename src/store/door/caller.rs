//! Who asks, and what the drive may still hold.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ports::Millis;
use crate::store::ground::scope::Scopes;

/// Who asks, as the drive knows them.
#[derive(Debug, Clone, Deserialize)]
pub struct Caller {
    /// The token's number.
    pub token_id: i64,
    /// The owner's number.
    pub account_id: i64,
    /// What the token allows.
    pub scopes: Scopes,
    /// The folder that the token is confined to.
    pub folder_id: Option<i64>,
    /// When the token ends.
    pub expires_at: Option<Millis>,
    /// When the token was last used, to the hour.
    pub used_at: Option<Millis>,
    /// The owner's login.
    pub login: String,
    /// The owner's name for people.
    pub display_name: String,
    /// Bytes that the drive may hold; none for no limit.
    pub quota: Option<i64>,
    version_bytes: i64,
    upload_bytes: i64,
    /// Bytes of dead properties and tags.
    pub(super) property_bytes: i64,
    /// Locks in the drive, some of which may have expired.
    pub(super) locks: i64,
    /// Uploads in pieces that are not forgotten.
    pub(super) uploads: i64,
    /// The drive's root folder.
    pub root_id: i64,
    root_size: i64,
    root_nodes: i64,
    pub(in crate::store) trash_id: i64,
    trash_size: i64,
    trash_nodes: i64,
    pub(in crate::store) has_webhooks: i64,
    scanner_retry_at: Option<Millis>,
}

impl Caller {
    /// Whether the virus scanner is known to fail at that time, so that nobody need wait for it.
    pub fn scanner_fails(&self, now: Millis) -> bool {
        self.scanner_retry_at.is_some_and(|retry_at| now < retry_at)
    }

    /// Whether it is nobody with a token, but the operator.
    pub(super) fn is_operator(&self) -> bool {
        self.token_id == 0
    }

    /// Bytes used: all files, those in the trash among them, and their earlier versions.
    pub fn used(&self) -> i64 {
        self.root_size + self.trash_size + self.version_bytes
    }

    /// What the quota is held against: bytes used, and those of uploads under way.
    pub(super) fn charged(&self) -> i64 {
        self.used() + self.upload_bytes
    }

    /// Files and folders, those in the trash among them.
    pub(super) fn nodes(&self) -> i64 {
        self.root_nodes + self.trash_nodes
    }

    /// Bytes that may still be stored beside all that is, uploads under way among it; `None` without a quota.
    pub fn available(&self) -> Option<i64> {
        self.quota.map(|quota| (quota - self.charged()).max(0))
    }

    /// Refuses `bytes` more than the quota has left, before any of them is stored.
    pub fn check_quota(&self, bytes: u64) -> Result<()> {
        match self.available() {
            Some(available) if bytes > available.unsigned_abs() => Err(Error::QuotaExceeded),
            _ => Ok(()),
        }
    }
}
