//! What the doc comments of the ports promise, as one test suite a port that every adapter passes.
//!
//! The suites know no runtime: `cargo test` runs them natively, and a build with the feature
//! `contract` runs them inside the real one. They clean up behind themselves. Their error is the
//! first promise that was not kept, as a sentence.

mod blobs;
mod clock_and_random;
mod crypto;
mod sql;
mod tcp;

use std::fmt::Debug;

pub use self::blobs::blobs;
pub use self::clock_and_random::clock_and_random;
pub use self::crypto::crypto;
pub use self::sql::sql;
pub use self::tcp::tcp;

/// Fails with `promise` where `kept` is false.
fn check(kept: bool, promise: &str) -> Result<(), String> {
    if kept { Ok(()) } else { Err(format!("not kept: {promise}")) }
}

/// Fails with `promise` and both values where they differ.
fn check_equal<T: PartialEq + Debug>(got: &T, expected: &T, promise: &str) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("not kept: {promise}: got {got:?}, expected {expected:?}")) }
}

/// Fails with `step` where an operation failed that should not.
fn done<T, E: Debug>(result: Result<T, E>, step: &str) -> Result<T, String> {
    result.map_err(|error| format!("failed: {step}: {error:?}"))
}
