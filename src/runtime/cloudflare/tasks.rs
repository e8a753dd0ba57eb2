//! Work that may outlive the response: `waitUntil`.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use js_sys::Promise;
use js_sys::futures::{future_to_promise, spawn_local};
use wasm_bindgen::JsValue;

use super::js;
use crate::ports::Tasks;

/// The life of one request. What is registered here goes on when the client is gone.
pub struct WaitUntil(worker::Context);

impl WaitUntil {
    /// Tasks of the request that `context` belongs to.
    pub fn new(context: worker::Context) -> Self {
        Self(context)
    }

    /// Keeps the request alive until `promise` is settled.
    pub fn keep(&self, promise: &Promise) {
        if let Err(thrown) = self.0.as_ref().wait_until(promise) {
            log::error!("waitUntil: {}", js::message(&thrown));
        }
    }
}

/// Tasks of no request: they go on as long as what started them.
pub struct Local;

impl Tasks for Local {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()>>>) {
        spawn_local(task);
    }
}

impl Tasks for WaitUntil {
    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()>>>) {
        self.keep(&future_to_promise(AssertUnwindSafe(async {
            task.await;
            Ok(JsValue::UNDEFINED)
        })));
    }
}
