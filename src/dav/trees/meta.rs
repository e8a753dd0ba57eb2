//! `/remote.php/dav/meta/{id}`: where a file or folder is at present, as ownCloud's clients ask who follow a private link. The
//! earlier contents of a file, at `/v` below it, are in `versions`.

use http::{HeaderValue, Response, header};

use crate::body::Body;
use crate::dav::answer::multistatus::Multistatus;
use crate::dav::methods::options;
use crate::dav::props::property::{Name, Value};
use crate::dav::props::wanted::Wanted;
use crate::dav::request::Request;
use crate::dav::request::headers::Depth;
use crate::dav::xml::{DAV, OWNCLOUD};
use crate::error::{Error, Result};
use crate::store::{Address, Scope, ViewRequest};

/// All methods here.
const ALLOW: &str = "OPTIONS, PROPFIND";

/// Answers a request for the node of that number: 404 for one that the caller does not have, and for what is below it.
pub async fn answer(request: &Request<'_>, node: i64, body: Body) -> Result<Response<Body>> {
    match (request.cx.method.as_str(), request.path.segments()) {
        ("OPTIONS", _) => {
            let mut response = options::answer(request).await?;
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(ALLOW));
            Ok(response)
        }
        ("PROPFIND", []) => list(request, node, body).await,
        (_, []) => Err(Error::MethodNotAllowed(ALLOW)),
        _ => Err(Error::NoResource),
    }
}

async fn list(request: &Request<'_>, node: i64, body: Body) -> Result<Response<Body>> {
    let (depth, without_root) = request.depth_of_listing()?;
    let wanted = Wanted::of(request.xml(body).await?.as_ref())?;
    let view = request.drive.view(&request.credentials, &ViewRequest::of(Address::Id(node)), Vec::new()).await?;
    view.caller.scopes.require(Scope::Read)?;
    let trail = view.trail()?;
    let is_folder = trail.existing()?.is_folder();
    let name = |namespace, name| Name { namespace, name };
    let text = |text: String| Value::Text(text.into());
    let account = request.drive.account();

    let mut answer = Multistatus::new();
    if !without_root {
        let (found, missing) = wanted.choose(vec![
            (name(DAV, "resourcetype"), Value::COLLECTION),
            (name(OWNCLOUD, "id"), text(request.ids.global_id(account, node))),
            (name(OWNCLOUD, "meta-path-for-user"), text(format!("/{}", trail.names().join("/")))),
        ]);
        answer.properties(&request.href(&[], true), &found, &missing);
    }
    if depth != Some(Depth::Zero) && !is_folder {
        let (found, missing) = wanted.choose(vec![(name(DAV, "resourcetype"), Value::COLLECTION)]);
        answer.properties(&request.href(&["v".to_owned()], true), &found, &missing);
    }
    Ok(answer.finish())
}
