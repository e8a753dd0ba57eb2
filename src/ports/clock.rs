//! The time of day, and waiting.

use std::time::Duration;

use async_trait::async_trait;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// Where the core reads the time from, so that tests can set it.
#[async_trait(?Send)]
pub trait Clock {
    /// The present time. It may stand still within one request (Workers freeze it between I/O).
    fn now(&self) -> Millis;

    /// Returns when `duration` has passed, not before. Others go on meanwhile.
    async fn sleep(&self, duration: Duration);
}
