//! Work that may outlive the response.

use std::future::Future;
use std::pin::Pin;

/// Runs what a client need not wait for (`waitUntil` on Workers).
pub trait Tasks {
    /// Starts `task`; it may be dropped unfinished when the runtime stops, so nothing that must
    /// happen may depend on it.
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()>>>);
}
