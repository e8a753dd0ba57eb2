//! The one way into a drive: what is read of it, and the one batch that changes it. Imports `ground` alone.

pub(super) mod address;
pub(super) mod caller;
pub(super) mod closing;
pub(super) mod commit;
pub(super) mod drive;
pub(super) mod query;
pub(super) mod trail;
pub(super) mod view;
