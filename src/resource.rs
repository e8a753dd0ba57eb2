//! Files as JSON, the same for REST answers and for what webhooks are told, and how files and drives are identified.

use serde_json::{Value, json};

use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::ports::Count;
use crate::store::{ContentInfo, Node};

/// A file, whose digests were read with it. `root` is the folder that has no name for who reads
/// this: what is in it has no `folderId`.
pub fn file(root: i64, node: &Node) -> Value {
    json!({
        "id": node.id.to_string(),
        "name": node.name,
        "folderId": folder_id(root, node.parent_id),
        "sizeBytes": node.size,
        "mimeType": node.mime(),
        "encMode": "SERVER",
        "avStatus": node.content.as_ref().map(|content| content.av.name().to_ascii_uppercase()),
        "checksumMismatch": node.content.as_ref().is_some_and(ContentInfo::is_mismatch),
        "sha256": node.content.as_ref().map(|content| &content.sha256).filter(|sha256| !sha256.is_empty()),
        "createdAt": iso8601(node.created_at),
        "modifiedAt": iso8601(node.modified_at),
        "etag": node.etag,
    })
}

/// The id that is seen for the folder `parent`.
pub fn folder_id(root: i64, parent: Option<i64>) -> Option<String> {
    parent.filter(|id| *id != root).map(|id| id.to_string())
}

/// The number behind an opaque id; one that cannot be an id names nothing.
pub fn parse_id(id: &str, what: &'static str) -> Result<i64> {
    Count::parse(id).map(Count::get).ok_or(Error::NotFound(what))
}

/// Behind a number, it makes it unique in the world.
pub const INSTANCE: &str = "ocedgedrive";

/// The id of a file or folder as Nextcloud's clients know it: its number, and what makes it unique in the world.
pub fn global_id(node: i64) -> String {
    format!("{node:08}{INSTANCE}")
}

/// The id of an account's drive, in the form of ownCloud's spaces.
pub fn space_id(account: i64) -> String {
    format!("edgedrive${account}")
}

/// The form of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// A number; with the instance behind it, where it is to be unique in the world.
    Nextcloud,
    /// `DRIVE!NUMBER`, below the URLs of spaces.
    Spaces,
}

impl Ids {
    /// Unique among all nodes of the world, and for ever.
    pub fn global_id(self, account: i64, node: i64) -> String {
        match self {
            Self::Nextcloud => global_id(node),
            Self::Spaces => format!("{}!{node}", space_id(account)),
        }
    }
}
