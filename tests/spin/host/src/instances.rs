//! How instances of the component live, with Spin's figures: each serves up to 16 requests at once and 128 in all, and
//! goes after a second of idleness. wasmtime-wasi-http starts one more whenever none has room.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::Sleep;
use wasmtime::component::{Component, GuestTaskId, Linker};
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, ViewFn, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::WasiHttpView;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::guest::{App, Guest};
use crate::outbound::Outbound;

const REQUESTS_AT_ONCE: usize = 16;
const REQUESTS_IN_ALL: usize = 128;
const IDLE: Duration = Duration::from_secs(1);

/// Makes the instances.
pub struct Instances {
    component: ServicePre<Guest>,
    app: Arc<App>,
    outbound: Outbound,
}

impl Instances {
    /// Links the component.
    pub fn new(component: &Component, app: Arc<App>) -> Result<Self> {
        let mut linker = Linker::new(component.engine());
        Guest::add_to_linker(&mut linker)?;
        let component = ServicePre::new(linker.instantiate_pre(component)?)?;
        Ok(Self { component, outbound: Outbound::new(app.clone()), app })
    }
}

impl HandlerState for Instances {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Limits;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Limits>> {
        let guest = Guest::new(self.app.clone(), self.outbound.clone());
        let mut store = Store::new(self.component.engine(), guest);
        let service = self.component.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy: Proxy::P3(service),
            view: ViewFn::P3(Guest::http),
            expiration: Expiration(Box::pin(tokio::time::sleep(IDLE))),
            state: Limits,
        })
    }
}

/// How many requests an instance takes.
pub struct Limits;

impl WorkerState for Limits {
    type StoreData = Guest;
    type RequestId = ();

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        if total_count >= REQUESTS_IN_ALL {
            ShouldAccept::Never
        } else if concurrent_count >= REQUESTS_AT_ONCE {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _store: StoreContextMut<'_, Guest>,
        (): (),
        _task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // As long as it takes: Spin has no request timeout by default.
        Box::pin(std::future::pending())
    }

    fn drop(&self, _store: Store<Guest>, result: wasmtime::Result<()>) {
        if let Err(error) = result {
            eprintln!("worker failed: {error:?}");
        }
    }
}

/// Ends an instance that has nothing to do.
pub struct Expiration(Pin<Box<Sleep>>);

impl WorkerExpiration for Expiration {
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        let end = (start + IDLE).into();
        if self.0.deadline() != end {
            self.0.as_mut().reset(end);
        }
        self.0.as_mut().poll(cx)
    }
}
