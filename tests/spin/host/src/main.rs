//! A TEST TOOL, and no more: it runs edgedrive's Spin component on a machine where Spin's own command cannot be had.
//!
//! ```text
//! spin-test-host up --from spin.toml --listen 127.0.0.1:3000 --state-dir DIR [--variable NAME=VALUE]...
//! ```
//!
//! It is called as `spin` would be, and behaves like Spin 4 towards the component and its clients: WASI 0.2 and 0.3 by
//! the same wasmtime crates, reused and concurrent instances, `spin:sqlite` on a file in the state directory,
//! `spin:variables`, and requests and sockets to `allowed_outbound_hosts` only. Whatever it does not know, an option or a
//! line of the manifest, it refuses.
//!
//! It has no TLS, no HTTP/2, no runtime config, no key-value store, no `.env` file, no look-up of names for sockets (nor
//! has Spin), and no limit on time or memory. Standard error tells of everything that goes wrong, where Spin tells of some
//! only with `RUST_LOG`.
//!
//! | | |
//! |---|---|
//! | `args`, `manifest`, `variables`, `allowed_hosts` | what is to be run |
//! | `server` | from HTTP to an instance and back |
//! | `instances` | when an instance begins and ends |
//! | `guest`, `sqlite`, `outbound`, `bindings` | what an instance may call |

mod allowed_hosts;
mod args;
mod bindings;
mod guest;
mod instances;
mod manifest;
mod outbound;
mod server;
mod sqlite;
mod variables;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::net::TcpListener;
use wasmtime::component::Component;
use wasmtime::{Cache, Config, Engine};

use crate::allowed_hosts::AllowedHosts;
use crate::args::Up;
use crate::guest::App;
use crate::instances::Instances;
use crate::manifest::Manifest;
use crate::variables::Variables;

/// Instances run in parallel on these.
const THREADS: usize = 2;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let up = Up::parse(std::env::args_os().skip(1))?;
    end_on_signals()?;
    let manifest = Manifest::read(&up.manifest)?;
    let variables = Variables::resolve(&manifest.variables, &up.variables, |name| std::env::var(name))?;
    let component = load(&manifest)?;
    tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?.block_on(async {
        let listener =
            TcpListener::bind(up.listen).await.with_context(|| format!("unable to listen on {}", up.listen))?;
        let address = listener.local_addr()?;
        let app = App {
            component_id: manifest.component_id,
            variables: variables.of_component(&manifest.component.variables)?,
            database: database(&up, &manifest.component.sqlite_databases)?,
            allowed_hosts: allowed_hosts(&variables, &manifest.component.allowed_outbound_hosts)?,
            own_authority: address.to_string().parse()?,
        };
        let instances = Instances::new(&component, Arc::new(app))?;
        println!("Serving http://{address}");
        server::serve(listener, instances).await
    })
}

/// Ends the process even when every thread is busy in a guest. SQLite's file bears that.
fn end_on_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            std::process::exit(0);
        }
    });
    Ok(())
}

fn load(manifest: &Manifest) -> Result<Component> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    // As Spin does: what was compiled once is found again in the user's cache folder.
    config.cache(Some(Cache::from_file(None)?));
    let source = &manifest.component.source;
    Component::from_file(&Engine::new(&config)?, source)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("cannot load the component {}", source.display()))
}

fn database(up: &Up, databases: &[String]) -> Result<Option<PathBuf>> {
    std::fs::create_dir_all(&up.state_dir).with_context(|| format!("cannot create {}", up.state_dir.display()))?;
    Ok((!databases.is_empty()).then(|| up.state_dir.join("sqlite_db.db")))
}

fn allowed_hosts(variables: &Variables, templates: &[String]) -> Result<AllowedHosts> {
    AllowedHosts::parse(&templates.iter().map(|template| variables.fill(template)).collect::<Result<Vec<_>>>()?)
}
