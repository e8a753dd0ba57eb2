//! PROPPATCH (RFC 4918, 9.2)

use http::Response;

use super::multistatus::Multistatus;
use super::preconditions::Preconditions;
use super::props::{Name, is_live};
use super::request::Request;
use super::xml::{DAV, Element};
use crate::body::Body;
use crate::error::{Error, Result};
use crate::store::{Found, PropertyChange, Scope, ViewRequest, twice};

/// The most properties that one request may change.
const MOST_CHANGES: usize = 512;

const OK: &str = "HTTP/1.1 200 OK";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden";
const FAILED_DEPENDENCY: &str = "HTTP/1.1 424 Failed Dependency";

/// Sets and removes dead properties, all or none: one that the server makes itself spoils the
/// others, too.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let document = request.xml(body).await?.ok_or_else(|| Error::bad("the body is empty"))?;
    let changes = read(&document)?;
    let mut wanted = ViewRequest { locks_below: true, ..ViewRequest::of(request.address()) };
    preconditions.extend(&mut wanted);
    let refused = changes.iter().any(|change| is_live(name_of(change)));
    let href = twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let node = trail.existing()?;
        preconditions.check(&view, 1)?;
        preconditions.unlocked(request, trail)?;
        if !refused {
            request.drive.change_properties(&Found::of(trail, preconditions.expect())?, &changes).await?;
        }
        Ok(request.href(trail.names(), node.is_folder()))
    })
    .await?;

    let mut answer = Multistatus::new();
    let names = |live: bool| changes.iter().map(name_of).filter(|name| is_live(*name) == live).collect::<Vec<_>>();
    if refused {
        let condition = Some("cannot-modify-protected-property");
        answer.outcome(&href, &[(names(true), FORBIDDEN, condition), (names(false), FAILED_DEPENDENCY, None)]);
    } else {
        answer.outcome(&href, &[(names(false), OK, None)]);
    }
    Ok(answer.finish())
}

/// The instructions of a `propertyupdate`, in order: 400 where there are none.
fn read(document: &Element) -> Result<Vec<PropertyChange>> {
    if !document.is(DAV, "propertyupdate") {
        return Err(Error::bad("the body is no propertyupdate"));
    }
    let mut changes = Vec::new();
    for instruction in document.elements() {
        let set = instruction.is(DAV, "set");
        if !set && !instruction.is(DAV, "remove") {
            continue;
        }
        for property in instruction.elements().filter(|child| child.is(DAV, "prop")).flat_map(Element::elements) {
            changes.push(PropertyChange {
                namespace: property.namespace.clone(),
                name: property.name.clone(),
                value: set.then(|| property.inner_xml()),
                lang: property.lang().map(ToOwned::to_owned),
            });
        }
    }
    if changes.len() > MOST_CHANGES {
        return Err(Error::bad("the propertyupdate changes too many properties"));
    }
    if changes.is_empty() { Err(Error::bad("the propertyupdate changes nothing")) } else { Ok(changes) }
}

fn name_of(change: &PropertyChange) -> Name<'_> {
    Name { namespace: &change.namespace, name: &change.name }
}
