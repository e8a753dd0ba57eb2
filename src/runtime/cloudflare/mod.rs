//! Cloudflare Workers: the entry point, and the ports on D1, R2 and the Web Crypto API.
//!
//! A request of a Worker becomes an `http::Request<Body>` (`request`), the core answers it, and the
//! answer becomes a Worker's response (`response`). Bodies go both ways through `source` and
//! `pump`. What each adapter owes the core is said in `ports`.

mod blobs;
mod clock;
mod console;
mod crypto;
mod http;
mod jobs;
mod js;
mod pump;
mod random;
mod request;
mod response;
mod source;
mod sql;
mod tasks;
mod tcp;

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use js_sys::Reflect;
use js_sys::futures::future_to_promise;
use wasm_bindgen::{JsCast, JsValue};
use worker::{Context, Env};

use self::tasks::WaitUntil;
use super::memory;
use super::one_database::OneDatabase;
use crate::body::Body;
use crate::config::{Config, ConfigError};
use crate::error::{Dialect, Result};
use crate::ports::{Blobs, Clock, Ports, Tasks};
use crate::s3::S3;
use crate::{App, HasJobs, add_date};

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
        Err(error) => {
            let mut response = error.into_response(Dialect::Json, "edgedrive");
            add_date(response.headers_mut(), clock::DateNow.now());
            response
        }
    };
    request::drain(&request).await;
    Ok(response::outgoing(response, request.method() == "HEAD", &tasks).await?.into())
}

async fn handle(request: &web_sys::Request, env: &Env, tasks: &Rc<WaitUntil>) -> Result<::http::Response<Body>> {
    let config = Config::read(|name| env.var(name).ok().map(|value| value.to_string()))?;
    let ports = ports(env, &config, Rc::clone(tasks) as Rc<dyn Tasks>)?;
    let request = request::incoming(request)?;
    #[cfg(feature = "contract")]
    if let Some(port) = request.uri().path().strip_prefix("/__contract/") {
        return Ok(super::contract::run(port, request.uri().query(), &ports).await);
    }
    let timing = config.server_timing;
    let mut response = App::new(config, ports).handle(request).await;
    if response.extensions_mut().remove::<HasJobs>().is_some() {
        jobs::nudge(env, tasks);
    }
    if timing {
        memory::tell(&mut response);
    }
    Ok(response)
}

fn ports(env: &Env, config: &Config, tasks: Rc<dyn Tasks>) -> Result<Ports, ConfigError> {
    let (clock, random, http) = (Rc::new(clock::DateNow), Rc::new(random::WebRandom), Rc::new(http::Fetch));
    let blobs: Rc<dyn Blobs> = match config.s3.clone() {
        Some(bucket) => Rc::new(S3::new(bucket, http.clone(), clock.clone(), random.clone())),
        None => Rc::new(blobs::R2::new(binding(env, "BUCKET")?)),
    };
    Ok(Ports {
        databases: Rc::new(OneDatabase(Rc::new(sql::D1(binding(env, "DB")?)))),
        blobs,
        http,
        clock,
        random,
        crypto: Rc::new(crypto::WebCrypto),
        tasks,
        tcp: Rc::new(tcp::Sockets),
    })
}

/// A binding of `wrangler.toml`.
fn binding<T: JsCast>(env: &Env, name: &'static str) -> Result<T, ConfigError> {
    match Reflect::get(env, &name.into()) {
        Ok(binding) if binding.is_object() => Ok(binding.unchecked_into()),
        _ => Err(ConfigError { setting: name, problem: "the binding is missing in wrangler.toml".to_owned() }),
    }
}
