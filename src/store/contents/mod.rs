//! What files hold: contents and their blobs, uploads, versions, and what scans and repairs find. Imports `ground`, `door`
//! and `jobs`.

pub(super) mod checksum;
pub(super) mod chunk;
pub(super) mod content;
pub(super) mod fsck;
pub(super) mod garbage;
pub(super) mod media;
pub(super) mod mend;
pub(super) mod reader;
pub(super) mod scan;
pub(super) mod upload;
pub(super) mod version;
