//! The runtimes: entry points, and adapters that keep the contracts of `ports`.
//!
//! Only in here are the crates of a runtime named (worker, wasm-bindgen, spin-sdk, rusqlite). What
//! serves several runtimes stands beside their folders.

#[cfg(feature = "cloudflare")]
pub mod cloudflare;
#[cfg(all(feature = "contract", target_family = "wasm"))]
mod contract;
#[cfg(target_family = "wasm")]
mod memory;
#[cfg(not(target_family = "wasm"))]
pub mod native;
mod one_database;
#[cfg(not(feature = "cloudflare"))]
mod rust_crypto;
#[cfg(feature = "spin")]
pub mod spin;
