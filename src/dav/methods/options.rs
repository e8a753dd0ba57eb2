//! OPTIONS (RFC 4918, 10.1)

use http::{HeaderMap, HeaderName, HeaderValue, Response, header};

use crate::body::Body;
use crate::dav::request::Request;
use crate::dav::request::mount::Tree;
use crate::error::Result;
use crate::store::{Node, Trail, ViewRequest};
use crate::transfer::tus;

/// All methods that a resource may take.
pub const ALLOW: &str = "OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK, \
     REPORT, SEARCH";

/// The same for a folder, which takes uploads by TUS.
const ALLOW_TUS: &str = "OPTIONS, GET, HEAD, PUT, POST, DELETE, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK, \
     REPORT, SEARCH";

/// What the header DASL says (RFC 5323, 3.2).
const DASL: &str = "<DAV:basicsearch>";

/// What the server can, for a caller who is known.
pub async fn answer(request: &Request<'_>) -> Result<Response<Body>> {
    let addresses = if request.tree == Tree::Files { vec![request.address()] } else { Vec::new() };
    let wanted = ViewRequest { addresses, ..ViewRequest::default() };
    let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
    let mut response = capabilities();
    if view.trails.first().and_then(Trail::target).is_some_and(Node::is_folder) {
        let headers = response.headers_mut();
        headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW_TUS));
        tus::add_capabilities(headers);
    }
    Ok(response)
}

/// What the server can, with no word about any drive.
pub fn capabilities() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    add_capabilities(response.headers_mut());
    response
}

/// The headers by which clients know a WebDAV server.
pub fn add_capabilities(headers: &mut HeaderMap) {
    headers.insert(HeaderName::from_static("dav"), HeaderValue::from_static("1, 2, 3"));
    headers.insert(HeaderName::from_static("dasl"), HeaderValue::from_static(DASL));
    headers.insert(HeaderName::from_static("ms-author-via"), HeaderValue::from_static("DAV"));
    headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
}
