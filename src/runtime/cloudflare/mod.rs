//! Cloudflare Workers: the entry point, and the ports on D1, R2 and the Web Crypto API.
//!
//! A request of a Worker becomes an `http::Request<Body>` (`request`), the core answers it, and the
//! answer becomes a Worker's response (`response`). Bodies go both ways through `source` and
//! `pump`. What each adapter owes the core is said in `ports`.

mod blobs;
mod clock;
mod console;
#[cfg(feature = "contract")]
mod contract;
mod crypto;
mod js;
mod pump;
mod random;
mod request;
mod response;
mod source;
mod sql;
mod tasks;

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use js_sys::Reflect;
use js_sys::futures::future_to_promise;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Context, Env};

use self::tasks::WaitUntil;
use crate::App;
use crate::body::Body;
use crate::config::{Config, ConfigError};
use crate::error::{Dialect, Result};
use crate::ports::{Ports, Tasks};

/// Answers a request. It is run to its end also when the client has gone, so that an upload that
/// breaks off is cleaned up and its memory is freed.
#[worker::event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    console::init();
    let tasks = Rc::new(WaitUntil::new(context));
    let answer = future_to_promise(AssertUnwindSafe(answer(request, env, Rc::clone(&tasks))));
    tasks.keep(&answer);
    Ok(answer.await?.unchecked_into())
}

async fn answer(request: web_sys::Request, env: Env, tasks: Rc<WaitUntil>) -> Result<JsValue, JsValue> {
    let response = match handle(&request, &env, &tasks).await {
        Ok(response) => response,
        Err(error) => error.into_response(Dialect::Json, "edgedrive"),
    };
    request::drain(&request).await;
    Ok(response::outgoing(response, request.method() == "HEAD", &tasks).await?.into())
}

async fn handle(request: &web_sys::Request, env: &Env, tasks: &Rc<WaitUntil>) -> Result<http::Response<Body>> {
    let ports = ports(env, Rc::clone(tasks) as Rc<dyn Tasks>)?;
    let request = request::incoming(request)?;
    #[cfg(feature = "contract")]
    if let Some(port) = request.uri().path().strip_prefix("/__contract/") {
        return Ok(contract::run(port, &ports).await);
    }
    let config = Config::read(|name| env.var(name).ok().map(|value| value.to_string()))?;
    let timing = config.server_timing;
    let mut response = App::new(config, ports).handle(request).await;
    if timing {
        add_memory(&mut response);
    }
    Ok(response)
}

/// Tells the size of wasm's linear memory, which never shrinks: its peak so far, in bytes.
fn add_memory(response: &mut http::Response<Body>) {
    let bytes = core::arch::wasm32::memory_size::<0>() * 65536;
    if let Ok(value) = http::HeaderValue::try_from(format!("wasm;desc=\"memory={bytes}\"")) {
        response.headers_mut().append("server-timing", value);
    }
}

fn ports(env: &Env, tasks: Rc<dyn Tasks>) -> Result<Ports, ConfigError> {
    Ok(Ports {
        databases: Rc::new(sql::OneDatabase::new(binding(env, "DB")?)),
        blobs: Rc::new(blobs::R2::new(binding(env, "BLOBS")?)),
        clock: Rc::new(clock::DateNow),
        random: Rc::new(random::WebRandom),
        crypto: Rc::new(crypto::WebCrypto),
        tasks,
    })
}

/// A binding of `wrangler.toml`.
fn binding<T: JsCast>(env: &Env, name: &'static str) -> Result<T, ConfigError> {
    match Reflect::get(env, &name.into()) {
        Ok(binding) if binding.is_object() => Ok(binding.unchecked_into()),
        _ => Err(ConfigError { setting: name, problem: "the binding is missing in wrangler.toml".to_owned() }),
    }
}
