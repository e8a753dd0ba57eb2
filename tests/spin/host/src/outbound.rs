//! Requests that the component sends: checked against `allowed_outbound_hosts`, then sent over pooled connections. The
//! error codes are Spin's. There is no TLS here.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};
use tower_service::Service;
use url::Url;
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::types::{DnsErrorPayload, ErrorCode};
use wasmtime_wasi_http::p3::{RequestOptions, WasiHttpHooks};

use crate::guest::App;

type OutgoingBody = UnsyncBoxBody<Bytes, ErrorCode>;
type IoResult = Box<dyn Future<Output = Result<(), ErrorCode>> + Send>;

const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

tokio::task_local! {
    /// The connector gets nothing but a URI.
    static CONNECT_TIMEOUT: Duration;
}

/// Sends the requests of one application. Clones share their connections.
#[derive(Clone)]
pub struct Outbound {
    app: Arc<App>,
    client: Client<Connector, OutgoingBody>,
}

impl Outbound {
    /// With no connection yet.
    pub fn new(app: Arc<App>) -> Self {
        Self { app, client: Client::builder(TokioExecutor::new()).build(Connector) }
    }

    async fn send(
        self,
        mut request: Request<OutgoingBody>,
        options: RequestOptions,
    ) -> Result<Response<OutgoingBody>, ErrorCode> {
        self.check(request.uri_mut())?;
        // The client makes this header from the URI.
        request.headers_mut().remove(HOST);
        let connect_timeout = options.connect_timeout.unwrap_or(DEFAULT_TIMEOUT);
        let response = CONNECT_TIMEOUT.scope(connect_timeout, self.client.request(request));
        let response = timeout(options.first_byte_timeout.unwrap_or(DEFAULT_TIMEOUT), response)
            .await
            .map_err(|_| ErrorCode::ConnectionReadTimeout)?
            .map_err(|error| error_code(&error))?;
        let pause = options.between_bytes_timeout.unwrap_or(DEFAULT_TIMEOUT);
        Ok(response
            .map(|body| Timed { body: body.map_err(|error| error_code(&error)), pause, sleep: None }.boxed_unsync()))
    }

    /// Whether the request may be sent at all. One to `self.alt`, which stands for the application itself, is pointed at
    /// this host.
    fn check(&self, uri: &mut Uri) -> Result<(), ErrorCode> {
        if uri.host() == Some("self.alt") {
            if !self.app.allowed_hosts.allow_self() {
                deny("http://self");
                return Err(ErrorCode::HttpRequestDenied);
            }
            let mut parts = uri.clone().into_parts();
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Some(self.app.own_authority.clone());
            *uri = Uri::from_parts(parts).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
            return Ok(());
        }
        let url = Url::parse(&uri.to_string()).map_err(|_| ErrorCode::HttpRequestDenied)?;
        if !self.app.allowed_hosts.allow(&url) {
            deny(url.origin().ascii_serialization().as_str());
            return Err(ErrorCode::HttpRequestDenied);
        }
        if uri.scheme() == Some(&Scheme::HTTPS) {
            let reason = "this test host speaks no https; use http, or Spin";
            eprintln!("A component tried to send a request to {url}: {reason}.");
            return Err(ErrorCode::InternalError(Some(reason.to_owned())));
        }
        Ok(())
    }
}

/// Says which line of the manifest is missing.
pub fn deny(origin: &str) {
    eprintln!("A component tried to make an outbound network connection to disallowed destination '{origin}'.");
    eprintln!(
        "To allow this request, add 'allowed_outbound_hosts = [\"{origin}\"]' to the manifest component section."
    );
}

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: Request<OutgoingBody>,
        options: Option<RequestOptions>,
        _response_consumed: IoResult,
    ) -> Box<dyn Future<Output = Result<(Response<OutgoingBody>, IoResult), TrappableError<ErrorCode>>> + Send> {
        let sending = self.clone().send(request, options.unwrap_or_default());
        // The client drives the connection itself, and reports its failures through the body.
        Box::new(async { Ok((sending.await?, Box::new(async { Ok(()) }) as IoResult)) })
    }
}

/// What a failure on a connection is to the guest: an error code of its own if one is the direct cause.
pub fn error_code(error: &dyn Error) -> ErrorCode {
    error.source().and_then(|cause| cause.downcast_ref()).cloned().unwrap_or(ErrorCode::HttpProtocolError)
}

/// Opens TCP connections.
#[derive(Clone)]
struct Connector;

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ErrorCode;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ErrorCode>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ErrorCode>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(connect(uri))
    }
}

async fn connect(uri: Uri) -> Result<TokioIo<TcpStream>, ErrorCode> {
    let host = uri.host().ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let connecting = async {
        let addresses = tokio::net::lookup_host((host, uri.port_u16().unwrap_or(80))).await.map_err(|_| not_found())?;
        TcpStream::connect(&*addresses.collect::<Vec<_>>()).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrNotAvailable => not_found(),
            _ => ErrorCode::ConnectionRefused,
        })
    };
    let patience = CONNECT_TIMEOUT.try_get().unwrap_or(DEFAULT_TIMEOUT);
    let stream = timeout(patience, connecting).await.map_err(|_| ErrorCode::ConnectionTimeout)??;
    Ok(TokioIo::new(stream))
}

fn not_found() -> ErrorCode {
    ErrorCode::DnsError(DnsErrorPayload { rcode: Some("address not available".to_owned()), info_code: Some(0) })
}

/// A response body that fails when its next piece takes too long.
struct Timed<B> {
    body: B,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl<B: Body<Error = ErrorCode> + Unpin> Body for Timed<B> {
    type Data = B::Data;
    type Error = ErrorCode;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.sleep = None;
            return Poll::Ready(frame);
        }
        let pause = self.pause;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
        sleep.as_mut().poll(cx).map(|()| Some(Err(ErrorCode::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
