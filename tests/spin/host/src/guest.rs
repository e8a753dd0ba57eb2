//! The surroundings of one instance of the component: WASI without files, environment or arguments, and what Spin adds.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use http::uri::Authority;
use wasmtime::component::{Accessor, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::sockets::SocketAddrUse;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::p3::{WasiHttpCtxView, WasiHttpView};

use crate::allowed_hosts::AllowedHosts;
use crate::bindings::Imports;
use crate::bindings::spin::variables::variables;
use crate::outbound::{Outbound, deny};
use crate::variables::check_name;

/// What all instances share.
pub struct App {
    /// The name of the component.
    pub component_id: String,
    /// The component's variables.
    pub variables: HashMap<String, String>,
    /// The file of the database `default`, if the component may open it.
    pub database: Option<PathBuf>,
    /// Where it may send requests and open sockets to.
    pub allowed_hosts: AllowedHosts,
    /// Where this host listens.
    pub own_authority: Authority,
}

impl App {
    /// Whether a socket of the component may have this address.
    fn allows_socket(&self, address: SocketAddr, purpose: SocketAddrUse) -> bool {
        let scheme = match purpose {
            SocketAddrUse::TcpBind => return false,
            SocketAddrUse::TcpConnect => "tcp",
            SocketAddrUse::UdpBind | SocketAddrUse::UdpConnect | SocketAddrUse::UdpOutgoingDatagram => "udp",
        };
        let allowed = self.allowed_hosts.allow_socket(scheme, address);
        if !allowed {
            deny(&format!("{scheme}://{address}"));
        }
        allowed
    }
}

/// The data of one instance's store.
pub struct Guest {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    /// Its open handles.
    pub table: ResourceTable,
    /// The application that it belongs to.
    pub app: Arc<App>,
}

impl Guest {
    /// For a new instance. Its standard output and error are those of the host.
    pub fn new(app: Arc<App>, outbound: Outbound) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        let host = app.clone();
        wasi.inherit_stdout().inherit_stderr().socket_addr_check(move |address, purpose| {
            let allowed = host.allows_socket(address, purpose);
            Box::pin(async move { allowed })
        });
        Self { wasi: wasi.build(), http: WasiHttpCtx::new(), outbound, table: ResourceTable::new(), app }
    }

    /// Everything that a component may import.
    pub fn add_to_linker(linker: &mut Linker<Self>) -> Result<()> {
        wasmtime_wasi::p2::add_to_linker_async(linker)?;
        wasmtime_wasi::p3::add_to_linker(linker)?;
        wasmtime_wasi_http::p3::add_to_linker(linker)?;
        Imports::add_to_linker::<_, HasSelf<Self>>(linker, |guest| guest)?;
        Ok(())
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.outbound, table: &mut self.table, ctx: &mut self.http }
    }
}

impl variables::Host for Guest {}

impl<T: Send> variables::HostWithStore<T> for HasSelf<Guest> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<std::result::Result<String, variables::Error>> {
        if let Err(reason) = check_name(&name) {
            return Ok(Err(variables::Error::InvalidName(reason)));
        }
        let app = accessor.with(|mut access| access.get().app.clone());
        let undefined = || variables::Error::Undefined(format!("no variable for {:?}.{name:?}", app.component_id));
        Ok(app.variables.get(&name).cloned().ok_or_else(undefined))
    }
}
