//! What an answer tells of the instance's memory.

use http::{HeaderValue, Response};

use crate::body::Body;

/// Adds the size of wasm's linear memory, which never shrinks, to `Server-Timing`: its peak so
/// far, in bytes.
pub fn tell(response: &mut Response<Body>) {
    let bytes = core::arch::wasm32::memory_size::<0>() * 65536;
    if let Ok(value) = HeaderValue::try_from(format!("wasm;desc=\"memory={bytes}\"")) {
        response.headers_mut().append("server-timing", value);
    }
}
