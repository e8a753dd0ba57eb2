//! WebDAV (RFC 4918, classes 1, 2 and 3), one file a method. JSON is in `handlers/`.

mod copy_move;
mod delete;
mod get;
pub mod headers;
pub mod if_header;
mod listing;
mod lock;
mod mkcol;
mod mount;
mod multistatus;
mod options;
pub mod path;
mod preconditions;
mod propfind;
mod proppatch;
mod props;
mod put;
mod request;
mod unlock;
pub mod xml;

use http::{Method, Response, StatusCode};

use self::copy_move::Kind;
pub use self::options::capabilities;
use self::request::Request;
use crate::body::Body;
use crate::context::Context;
use crate::error::{Dialect, Error, Result};
use crate::store::ViewRequest;

/// Answers a request below `/{first}/`, the first segment of its path.
pub async fn answer(cx: &Context<'_>, first: &str, body: Body) -> Response<Body> {
    dispatch(cx, first, body).await.unwrap_or_else(|error| {
        let refused = matches!(error, Error::Unauthorized);
        let mut response = error.into_response(Dialect::Dav, &cx.config.webdav_name);
        // Explorer gives up on a 401 that does not say what is behind it.
        if refused && cx.method == Method::OPTIONS {
            options::add_capabilities(response.headers_mut());
        }
        response
    })
}

async fn dispatch(cx: &Context<'_>, first: &str, body: Body) -> Result<Response<Body>> {
    let request = Request::read(cx, first)?;
    let answer = by_method(&request, body).await;
    if answer.is_err() && cx.meter.is_unused() {
        // What is wrong with a request is told only to a caller who is known.
        request.drive.view(&request.credentials, &ViewRequest::default(), Vec::new()).await?;
    }
    answer
}

async fn by_method(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    match request.cx.method.as_str() {
        "OPTIONS" => options::answer(request).await,
        "GET" | "HEAD" => get::answer(request).await,
        "PUT" => put::answer(request, body).await,
        "DELETE" => delete::answer(request).await,
        "PROPFIND" => propfind::answer(request, body).await,
        "PROPPATCH" => proppatch::answer(request, body).await,
        "MKCOL" => mkcol::answer(request, body).await,
        "COPY" => copy_move::answer(request, Kind::Copy).await,
        "MOVE" => copy_move::answer(request, Kind::Move).await,
        "LOCK" => lock::answer(request, body).await,
        "UNLOCK" => unlock::answer(request).await,
        _ => Err(Error::MethodNotAllowed(options::ALLOW)),
    }
}

/// An answer without a body.
fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
