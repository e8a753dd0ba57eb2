//! What changes files and folders as a tree: folders, trash, locks, and what clients set of a node. Imports `ground`,
//! `door`, `jobs` and `contents`.

pub(super) mod folder;
pub(super) mod lock;
pub(super) mod metadata;
pub(super) mod property;
pub(super) mod purge;
pub(super) mod trash;
