//! Telling other systems of files.
//!
//! The batch that changes a file inserts a job for each webhook that wants to hear of it
//! (`store::jobs::event`); the runner of `jobs` has it delivered here. Every event is told at least once.

mod delivery;
mod signature;
mod target;

pub use self::delivery::{deliver, open_secret, seal_secret};
pub use self::target::{TargetError, check as check_target, is_public};
