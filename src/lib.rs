//! edgedrive: a personal cloud drive that runs where there are no servers.
//!
//! The core turns an `http::Request<Body>` into an `http::Response<Body>` (`App::handle`) and
//! asks the runtime for everything else through the traits in `ports`. From the top downwards;
//! imports run this way only:
//!
//! - `runtime`: entry points and adapters; the only place that names a platform
//! - `route`: URL to handler, one table
//! - `handlers`: the JSON REST interface, one file a resource
//! - `dav`: WebDAV, in rooms; one file a method
//! - `jobs`: the runner of what is done later; `webhooks`: telling other systems
//! - `cors`: programs of other origins in a browser
//! - `transfer`: downloads and uploads, which both of them share
//! - `fsck`: the rows of the database held against the blobs
//! - `auth`: tokens in requests
//! - `store`: the drive itself, in rooms; all SQL
//! - `crypto`: sealing of blobs
//! - `s3`: object storage by the S3 API, on any runtime's HTTP client
//! - `scan`: virus scanners
//! - `media`: what pictures and music tell of themselves
//! - `ports`: what a runtime provides
//!
//! `config`, `context`, `error`, `body`, `page`, `resource`, `name` and `date` serve all of them.

pub mod auth;
pub mod body;
pub mod config;
pub mod context;
pub mod cors;
pub mod crypto;
pub mod date;
pub mod dav;
pub mod error;
pub mod fsck;
pub mod handlers;
pub mod jobs;
pub mod media;
pub mod name;
pub mod page;
pub mod ports;
pub mod resource;
pub mod route;
pub mod runtime;
pub mod s3;
pub mod scan;
pub mod store;
pub mod transfer;
pub mod webhooks;

use std::rc::Rc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::body::Body;
use crate::config::Config;
use crate::context::Context;
use crate::jobs::Summary;
use crate::ports::{Millis, Ports};
use crate::store::Meter;

/// The program, on any runtime.
pub struct App {
    config: Config,
    ports: Ports,
}

impl App {
    /// The program with its settings on a runtime.
    pub fn new(config: Config, ports: Ports) -> Self {
        Self { config, ports }
    }

    /// Does the jobs that are due.
    pub async fn run_jobs(&self) -> Summary {
        jobs::run(&self.config, &self.ports, &Rc::default()).await
    }

    /// Does what is due by the clock alone, then the jobs: to be called from time to time.
    pub async fn sweep(&self) -> Summary {
        jobs::sweep(&self.config, &self.ports, &Rc::default()).await
    }

    /// Answers a request. Never fails: errors are answers, too.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let cx = Context {
            config: &self.config,
            ports: &self.ports,
            meter: Rc::new(Meter::default()),
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
        };
        let mut response = match cors::preflight(&cx) {
            Some(response) => response,
            None => route::answer(&cx, body).await,
        };
        if cx.meter.has_jobs() {
            response.extensions_mut().insert(HasJobs);
        }
        if self.config.server_timing
            && let Ok(timing) = HeaderValue::try_from(cx.meter.server_timing())
        {
            response.headers_mut().insert(HeaderName::from_static("server-timing"), timing);
        }
        cors::add_headers(&cx, response.headers_mut());
        add_date(response.headers_mut(), self.ports.clock.now());
        if cx.method == Method::HEAD { without_body(response) } else { response }
    }
}

/// Marks the answer to a request that has made jobs: the runtime wakes the runner.
#[derive(Debug, Clone, Copy)]
pub struct HasJobs;

/// Every answer tells when it was made (RFC 9110, 6.6.1). Not every runtime adds that, and clients set their clocks by it.
pub fn add_date(headers: &mut HeaderMap, now: Millis) {
    if let Ok(date) = HeaderValue::try_from(date::http_date(now)) {
        headers.insert(header::DATE, date);
    }
}

/// The answer to HEAD: the headers of GET, its length among them, and nothing else.
fn without_body(mut response: Response<Body>) -> Response<Body> {
    // These two have none, to GET neither: 0 would be the length of the content that a 304 speaks of (RFC 9110, 8.6).
    let has_content = !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let length = response.body().length.filter(|_| has_content);
    if let (Some(length), false) = (length, response.headers().contains_key(header::CONTENT_LENGTH)) {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = Body::empty();
    response
}
