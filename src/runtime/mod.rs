//! The runtimes: entry points, and adapters that keep the contracts of `ports`.
//!
//! Only in here are the crates of a runtime named (worker, wasm-bindgen, rusqlite).

#[cfg(feature = "cloudflare")]
pub mod cloudflare;
#[cfg(not(target_family = "wasm"))]
pub mod native;
