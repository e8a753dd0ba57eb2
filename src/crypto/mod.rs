//! Encryption at rest: the sealing of blobs and the wrapping of their keys.
//!
//! Each blob has a random 256-bit key and is sealed in segments (`segments` says how they lie in
//! the blob; `seal` writes them, `open` reads them). `keys` wraps the blob's key, so that it can
//! be kept beside the metadata. How AES-GCM itself is computed is the port's affair
//! (`ports::Crypto`); where blobs and wrapped keys are kept is that of `store`.

mod keys;
mod open;
mod pieces;
mod seal;
mod segments;
#[cfg(test)]
mod tests;

pub use self::keys::{KeyError, MasterKeys, blob_aad};
pub use self::open::OpeningSource;
pub use self::seal::{Length, SealingSource};
pub use self::segments::{SEGMENT, sealed_length, sealed_range};
