//! The JavaScript that `web-sys` and `worker-sys` have no types for, and nothing more.

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::RequestInit;

#[wasm_bindgen]
extern "C" {
    /// A pass-through stream of bytes, without a length and without a queue.
    #[wasm_bindgen(extends = web_sys::TransformStream)]
    pub type IdentityTransformStream;

    #[wasm_bindgen(constructor)]
    pub fn new() -> IdentityTransformStream;

    /// A BYOB reader with workerd's own method to fill a buffer.
    #[wasm_bindgen(extends = web_sys::ReadableStreamByobReader)]
    pub type FillingReader;

    /// Reads `bytes` bytes or, at the end of the stream, fewer.
    #[wasm_bindgen(method, catch, js_name = readAtLeast)]
    pub fn read_at_least(this: &FillingReader, bytes: u32, view: &Uint8Array) -> Result<Promise, JsValue>;

    /// Lets another reader read on.
    #[wasm_bindgen(method, catch, js_name = releaseLock)]
    pub fn release(this: &FillingReader) -> Result<(), JsValue>;

    /// Sends a request to another server.
    pub fn fetch(url: &str, init: &RequestInit) -> Promise;

    /// The Web Crypto API.
    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    pub static CRYPTO: web_sys::Crypto;
}

/// What a thrown value says.
pub fn message(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => format!("{thrown:?}"),
    }
}

/// Gives memory back at once, where it is surely not used any more. Left to the garbage collector,
/// the pieces of a stream pile up to half of what an isolate may have.
pub fn free(buffer: &ArrayBuffer) {
    // Fails only if the memory is somebody else's by now.
    let _ = buffer.transfer_with_length(0);
}
