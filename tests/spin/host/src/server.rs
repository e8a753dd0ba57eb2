//! HTTP/1.1 to the world: each connection is hyper's, each request goes to an instance of the component.
//!
//! As in Spin, TCP_NODELAY is set neither here nor for requests that go out. So the end of what leaves in two pieces may wait
//! for the other side's ACK, for up to 40 ms: whether it does depends on the component, and is seen in benchmarks.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::handler::{self, ProxyHandler};

use crate::instances::Instances;
use crate::outbound::error_code;

/// Paths that Spin answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// Serves until the process ends.
pub async fn serve(listener: TcpListener, instances: Instances) -> Result<()> {
    let instances = ProxyHandler::new(instances);
    loop {
        let (stream, client) = listener.accept().await?;
        tokio::spawn(serve_connection(stream, client, instances.clone()));
    }
}

async fn serve_connection(stream: TcpStream, client: SocketAddr, instances: ProxyHandler<Instances>) {
    let service = service_fn(move |request| answer(request, client, instances.clone()));
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        eprintln!("Error serving HTTP connection: {error:?}");
    }
}

/// An error here ends the connection without an answer.
async fn answer(
    mut request: Request<Incoming>,
    client: SocketAddr,
    instances: ProxyHandler<Instances>,
) -> Result<handler::Response> {
    if let Some(name) = request.uri().path().strip_prefix(WELL_KNOWN) {
        return Ok(match name {
            "health" => plain(StatusCode::OK, "OK"),
            _ => plain(StatusCode::NOT_FOUND, ""),
        });
    }
    make_absolute(&mut request)?;
    let answered = match add_headers(&mut request, client) {
        Ok(()) => {
            let request = request.map(|body| body.map_err(|error| error_code(&error).into()).boxed_unsync());
            instances.handle((), request).await.map_err(|error| format!("{error:#}"))
        }
        Err(error) => Err(format!("{error:#}")),
    };
    Ok(answered.unwrap_or_else(|error| {
        eprintln!("Error processing request: {error}");
        plain(StatusCode::INTERNAL_SERVER_ERROR, "")
    }))
}

/// Gives the request's URI a scheme and the host of its `Host` header.
fn make_absolute(request: &mut Request<Incoming>) -> Result<()> {
    let mut parts = request.uri().clone().into_parts();
    if let Some(host) = request.headers().get(HOST) {
        let host: Authority = host.to_str()?.parse().context("'Host' header contains an invalid authority")?;
        ensure!(
            parts.authority.as_ref().is_none_or(|authority| *authority == host),
            "authority in 'Host' header does not match authority in URI"
        );
        parts.authority = Some(host);
    }
    ensure!(parts.authority.is_some(), "no 'Host' header present in request");
    parts.scheme = Some(Scheme::HTTP);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}

/// Adds those of Spin's own headers that tell something. A header that is not UTF-8 is an error to Spin.
fn add_headers(request: &mut Request<Incoming>, client: SocketAddr) -> Result<()> {
    for (name, value) in request.headers() {
        std::str::from_utf8(value.as_bytes()).with_context(|| format!("the header {name} is not UTF-8"))?;
    }
    let (url, path) = (request.uri().to_string(), request.uri().path().to_owned());
    for (name, value) in [("spin-full-url", url), ("spin-path-info", path), ("spin-client-addr", client.to_string())] {
        request.headers_mut().append(name, HeaderValue::try_from(value)?);
    }
    Ok(())
}

fn plain(status: StatusCode, text: &'static str) -> handler::Response {
    let body = Full::from(Bytes::from_static(text.as_bytes())).map_err(|never| match never {});
    let mut response = Response::new(UnsyncBoxBody::new(body));
    *response.status_mut() = status;
    response
}
