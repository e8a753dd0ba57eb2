//! A resource whose properties are asked for, and who looks at it.

use crate::ports::Millis;
use crate::resource::Ids;
use crate::store::{Caller, Lock, Node, Trashed};

/// Who looks at resources, and by which mount.
pub struct Viewer {
    /// Who asks.
    pub caller: Caller,
    /// The name that clients show for the mount.
    pub mount_name: String,
    /// In which form ids are told.
    pub ids: Ids,
    /// Whether the mount is one of Nextcloud's or ownCloud's, whose clients know more than the RFCs say.
    pub is_sync: bool,
    /// Whether it shows what was deleted.
    pub is_trash: bool,
    /// The URL of the program as the client sees it, if that is known.
    pub base_url: Option<String>,
    /// The present time.
    pub now: Millis,
}

/// A resource whose properties are asked for.
pub struct Resource<'a> {
    /// Its row.
    pub node: &'a Node,
    /// Whether it is the root of the mount, which shows the mount's name.
    pub is_root: bool,
    /// The locks that hold for it, each with the href that it was taken on.
    pub locks: &'a [(Lock, String)],
    /// Who asks.
    pub viewer: &'a Viewer,
    /// How it was deleted, if it was.
    pub deletion: Option<&'a Deletion>,
}

/// How something was deleted.
#[derive(Debug, Clone)]
pub struct Deletion {
    /// What it was called.
    pub original_name: String,
    /// The names from the drive's root to where it was, with slashes between them.
    pub location: String,
    /// When.
    pub deleted_at: Millis,
}

impl Deletion {
    /// That of an item of the trash.
    pub fn of(trashed: &Trashed) -> Self {
        let Trashed { original_name, location, deleted_at, .. } = trashed;
        Self { original_name: original_name.clone(), location: location.clone(), deleted_at: *deleted_at }
    }

    /// That of what is below it by these names, which was deleted with it.
    #[must_use]
    pub fn below<T: AsRef<str>>(self, names: &[T]) -> Self {
        names.iter().map(AsRef::as_ref).fold(self, |above, name| Self {
            original_name: name.to_owned(),
            location: format!("{}/{name}", above.location),
            ..above
        })
    }
}

impl<'a> Resource<'a> {
    /// The node, if it is a file.
    pub fn file(&self) -> Option<&'a Node> {
        Some(self.node).filter(|node| !node.is_folder())
    }

    /// The node, if it is a folder.
    pub fn folder(&self) -> Option<&'a Node> {
        Some(self.node).filter(|node| node.is_folder())
    }
}
