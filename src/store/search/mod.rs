//! Finding nodes by what their rows say. Imports `ground`, `door` and `tree`.

pub(super) mod filter;
pub(super) mod find;
mod params;
pub(super) mod pattern;
