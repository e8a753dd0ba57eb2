//! TUS 1.0.0, resumable uploads, with the extensions creation, creation-with-upload, creation-defer-length, checksum,
//! concatenation, termination and expiration. The same for REST and for the folders of WebDAV.
//!
//! What comes is cut into pieces, each a blob that counts as soon as it is stored: a connection that breaks loses no more
//! than the last of them. The end only links them.

mod answers;
mod concat;
mod concatenate;
mod headers;
mod metadata;
mod piece;
mod protocol;
mod purpose;
mod uploads;

pub use self::answers::{add_capabilities, add_version, options};
pub use self::protocol::{is_meant, is_tus, method};
pub use self::uploads::Tus;
