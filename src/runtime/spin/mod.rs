//! Spin: the entry point, and the ports on WASI 0.3 and Spin's SQLite.
//!
//! An instance answers many requests, several at once, and is thrown away when Spin likes; all that
//! it keeps between requests is the program with its settings, and idle database connections.

mod http;
mod jobs;
mod log;
mod request;
mod response;
mod rows;
mod source;
mod sql;
mod system;
mod tcp;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ::http::Method;
use spin_sdk::variables;
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Request, Response};
use spin_sdk::wasip3::spawn;

use self::system::{Spawned, WasiClock, WasiRandom};
use super::memory;
use super::one_database::OneDatabase;
use super::rust_crypto::RustCrypto;
use crate::body::Body;
use crate::config::{Config, ConfigError, SETTINGS};
use crate::error::{Dialect, Error, Result};
use crate::ports::{Clock, Ports};
use crate::s3::S3;
use crate::store;
use crate::{App, HasJobs, add_date};

struct Component;
spin_sdk::wasip3::http::service::export!(Component);

impl Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        log::init();
        let leftover = request::Leftover::default();
        let answer = match answer(request, &leftover).await {
            Ok(answer) => answer,
            Err(error) => {
                let mut response = error.into_response(Dialect::Json, "edgedrive");
                add_date(response.headers_mut(), WasiClock.now());
                response
            }
        };
        response::outgoing(answer, leftover)
    }
}

async fn answer(request: Request, leftover: &request::Leftover) -> Result<::http::Response<Body>> {
    let started = started().await?;
    let request = request::incoming(request, leftover)?;
    #[cfg(feature = "contract")]
    if let Some(port) = request.uri().path().strip_prefix("/__contract/") {
        return Ok(super::contract::run(port, request.uri().query(), &started.ports).await);
    }
    let is_head = *request.method() == Method::HEAD;
    let mut response = started.app.handle(request).await;
    if response.extensions_mut().remove::<HasJobs>().is_some() {
        spawn(jobs::run(Rc::clone(&started)));
    }
    if is_head {
        response.extensions_mut().insert(response::ToHead);
    }
    if started.timing {
        memory::tell(&mut response);
    }
    Ok(response)
}

/// The program, ready for requests.
struct Started {
    app: App,
    #[cfg(feature = "contract")]
    ports: Ports,
    timing: bool,
}

thread_local! {
    static STARTED: RefCell<Option<Rc<Started>>> = const { RefCell::new(None) };
}

/// Reads the settings and brings the database up to date, before the first request. While that
/// fails, each request tries again.
async fn started() -> Result<Rc<Started>> {
    if let Some(started) = STARTED.with_borrow(Clone::clone) {
        return Ok(started);
    }
    let config = config().await?;
    let ports = ports(&config)?;
    store::migrate(&*ports.databases.directory()).await?;
    let timing = config.server_timing;
    let started = Rc::new(Started {
        #[cfg(feature = "contract")]
        ports: ports.clone(),
        app: App::new(config, ports),
        timing,
    });
    STARTED.set(Some(Rc::clone(&started)));
    Ok(started)
}

/// The settings: Spin's variables, whose names are those of the settings in small letters.
async fn config() -> Result<Config> {
    let mut values = HashMap::from([("BLOBS", "s3".to_owned())]);
    for setting in SETTINGS {
        match variables::get(setting.to_ascii_lowercase()).await {
            Ok(value) => _ = values.insert(setting, value),
            Err(variables::Error::Undefined(_)) => {}
            Err(_) => {
                let problem = "Spin's provider of variables failed".to_owned();
                return Err(ConfigError { setting, problem }.into());
            }
        }
    }
    Ok(Config::read(|name| values.get(name).cloned())?)
}

fn ports(config: &Config) -> Result<Ports> {
    let bucket = config.s3.clone().ok_or_else(|| Error::internal("there is no object store but S3 on Spin"))?;
    let (clock, random, http) = (Rc::new(WasiClock), Rc::new(WasiRandom), Rc::new(http::WasiHttp));
    let sql = sql::SpinSql::new(clock.clone(), random.clone());
    Ok(Ports {
        databases: Rc::new(OneDatabase(Rc::new(sql))),
        blobs: Rc::new(S3::new(bucket, http.clone(), clock.clone(), random.clone())),
        http,
        clock,
        random,
        crypto: Rc::new(RustCrypto),
        tasks: Rc::new(Spawned),
        tcp: Rc::new(tcp::WasiTcp),
    })
}
