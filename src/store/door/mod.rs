//! The one door into a drive. What belongs to it is reached through one read, a `View`, and changed by one batch, which
//! only a view can send and which ends with one block of guards (`closing`). A `Drive` lends its database to nobody outside.
//! Imports `ground` alone.

pub(super) mod address;
pub(super) mod caller;
pub(super) mod closing;
pub(super) mod commit;
pub(super) mod drive;
pub(super) mod query;
pub(super) mod trail;
pub(super) mod view;
