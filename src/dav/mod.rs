//! WebDAV (RFC 4918, classes 1, 2 and 3), one file a method. JSON is in `handlers/`.
//!
//! The folders are rooms, of which each imports only those before it: `xml`, `request`, `props`, `answer`, `methods`, `trees`.

mod answer;
mod methods;
mod props;
mod request;
mod trees;
pub mod xml;

use http::{Method, Response};
use quick_xml::escape::escape;

use self::methods::copy_move::Kind;
pub use self::methods::options::capabilities;
use self::methods::{
    copy_move, delete, get, lock, mkcol, options, propfind, proppatch, put, recalculate, report, search, unexpected,
    unlock,
};
use self::request::Request;
use self::request::mount::{MountedPath, Tree};
use self::request::preconditions::Preconditions;
use self::trees::{chunked_v1, meta, private_link, top, trash, uploads, versions};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Dialect, Error, Result};
use crate::page::Page;
use crate::store::{Trail, ViewRequest};
use crate::transfer::check_coding;
use crate::transfer::tus::{self, Tus};

/// Whether a path is below a mount.
pub fn is_mounted(path: &str, webdav_name: &str) -> bool {
    MountedPath::find(path, webdav_name, None).is_some()
}

/// Answers a request below a mount.
pub async fn answer(cx: &Context<'_>, body: Body) -> Response<Body> {
    dispatch(cx, body).await.unwrap_or_else(|error| {
        let refused = matches!(error, Error::Unauthorized);
        let mut response = refusal(cx, error);
        // Explorer gives up on a 401 that does not say what is behind it.
        if refused && cx.method == Method::OPTIONS {
            options::add_capabilities(response.headers_mut());
        }
        response
    })
}

/// `the resource does not exist` with a capital at its beginning.
fn as_sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Answers `GET /f/{id}`.
pub async fn private_link(cx: &Context<'_>, id: &str) -> Response<Body> {
    let answer = private_link::redirect(cx, id).await;
    answer.unwrap_or_else(|error| refusal(cx, error))
}

/// The answer to what was not done: XML for clients, a page for a person whom a browser has brought here.
fn refusal(cx: &Context<'_>, error: Error) -> Response<Body> {
    let sentence = as_sentence(&error.sentence());
    let mut response = error.into_response(Dialect::Dav, &cx.config.webdav_name);
    if cx.is_of_a_browser() {
        let title = response.status().canonical_reason().unwrap_or("Not done");
        let content = format!("<h1>{title}</h1>\n<p role=\"alert\">{}.</p>\n", escape(&sentence));
        Page::new(title, &content).fill(&mut response);
    }
    response
}

async fn dispatch(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let request = Request::read(cx).await?;
    let answer = by_tree(&request, body).await;
    if answer.is_err() && cx.meter.is_unused() {
        // What is wrong with a request is told only to a caller who is known.
        request.drive.view(&request.credentials, &ViewRequest::default(), Vec::new()).await?;
    }
    answer
}

async fn by_tree(request: &Request<'_>, mut body: Body) -> Result<Response<Body>> {
    check_coding(&request.cx.headers)?;
    unexpected::refuse_body(request, &mut body).await?;
    match request.tree {
        Tree::Files => by_method(request, body).await,
        Tree::Uploads => uploads::answer(request, body).await,
        Tree::Trash => trash::answer(request, body).await,
        Tree::Versions(file) => versions::answer(request, file, body).await,
        Tree::Meta(node) => meta::answer(request, node, body).await,
        Tree::Restore => Err(Error::MethodNotAllowed("OPTIONS")),
        Tree::Top => top::answer(request, body).await,
    }
}

async fn by_method(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    match request.cx.method.as_str() {
        "OPTIONS" => options::answer(request).await,
        "GET" | "HEAD" => get::answer(request).await,
        "PUT" if request.cx.headers.contains_key(chunked_v1::HEADER) => chunked_v1::put(request, body).await,
        "PUT" => put::answer(request, body).await,
        "DELETE" => delete::answer(request).await,
        "PROPFIND" => propfind::answer(request, body).await,
        "PROPPATCH" => proppatch::answer(request, body).await,
        "MKCOL" => mkcol::answer(request).await,
        "COPY" => copy_move::answer(request, Kind::Copy).await,
        "MOVE" => copy_move::answer(request, Kind::Move).await,
        "LOCK" => lock::answer(request, body).await,
        "REPORT" => report::answer(request, body).await,
        "SEARCH" => search::answer(request, body).await,
        "UNLOCK" => unlock::answer(request).await,
        "PATCH" if request.cx.headers.contains_key(recalculate::HEADER) => recalculate::answer(request).await,
        "POST" if tus::is_tus(&request.cx.headers) => {
            let preconditions = Preconditions::read(request)?;
            preconditions.check_first(request, Some(request.address())).await?;
            let may_write = |file: &Trail| preconditions.file_unlocked(&request.mount, file);
            let (cx, drive, credentials) = (request.cx, &request.drive, &request.credentials);
            Tus { cx, drive, credentials, may_write: &may_write }.create(request.address(), body).await
        }
        _ => Err(Error::MethodNotAllowed(options::ALLOW)),
    }
}
