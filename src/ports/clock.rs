//! The time of day.

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// Where the core reads the time from, so that tests can set it.
pub trait Clock {
    /// The present time. It may stand still within one request (Workers freeze it between I/O).
    fn now(&self) -> Millis;
}
