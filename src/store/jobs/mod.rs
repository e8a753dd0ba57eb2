//! What is done after the answer: jobs and their lines, and what webhooks are told. Imports `ground` and `door`.

pub(super) mod event;
pub(super) mod job;
pub(super) mod line;
pub(super) mod tree_event;
pub(super) mod webhook;
