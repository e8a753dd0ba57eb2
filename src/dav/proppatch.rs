//! PROPPATCH (RFC 4918, 9.2)

use http::Response;

use super::client_props::{self, Refusal};
use super::multistatus::Multistatus;
use super::preconditions::Preconditions;
use super::props::Name;
use super::request::Request;
use super::xml::{DAV, Element};
use crate::body::Body;
use crate::error::{Error, Result};
use crate::store::{Found, MetadataChange, Scope, ViewRequest, twice};

/// The most properties that one request may change.
const MOST_CHANGES: usize = 512;

const OK: &str = "HTTP/1.1 200 OK";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden";
const CONFLICT: &str = "HTTP/1.1 409 Conflict";
const FAILED_DEPENDENCY: &str = "HTTP/1.1 424 Failed Dependency";

/// Sets and removes properties, all or none: one that the server makes itself, or whose value makes no sense, spoils the
/// others, too.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let document = request.xml(body).await?.ok_or_else(|| Error::bad("the body is empty"))?;
    let update = Update::read(&document)?;
    let mut wanted = ViewRequest { locks_below: true, ..ViewRequest::of(request.address()) };
    preconditions.extend(&mut wanted);
    let href = twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let node = trail.existing()?;
        preconditions.check(&view, 1)?;
        preconditions.unlocked(request, trail)?;
        if update.is_accepted() {
            request.drive.change_metadata(&Found::of(trail, preconditions.expect())?, &update.change).await?;
        }
        Ok(request.href(trail.names(), node.is_folder()))
    })
    .await?;

    let mut answer = Multistatus::new();
    if update.is_accepted() {
        answer.outcome(&href, &[(update.names(None), OK, None)]);
    } else {
        let protected = (update.names(Some(Refusal::Protected)), FORBIDDEN, Some("cannot-modify-protected-property"));
        let malformed = (update.names(Some(Refusal::Malformed)), CONFLICT, None);
        answer.outcome(&href, &[protected, malformed, (update.names(None), FAILED_DEPENDENCY, None)]);
    }
    Ok(answer.finish())
}

/// A `propertyupdate`.
struct Update<'d> {
    change: MetadataChange,
    /// The properties in order, with why one cannot be changed.
    outcomes: Vec<(Name<'d>, Option<Refusal>)>,
}

impl<'d> Update<'d> {
    /// Reads the instructions in order: 400 where there are none.
    fn read(document: &'d Element) -> Result<Self> {
        if !document.is(DAV, "propertyupdate") {
            return Err(Error::bad("the body is no propertyupdate"));
        }
        let mut update = Self { change: MetadataChange::default(), outcomes: Vec::new() };
        for instruction in document.elements() {
            let set = instruction.is(DAV, "set");
            if !set && !instruction.is(DAV, "remove") {
                continue;
            }
            for property in instruction.elements().filter(|child| child.is(DAV, "prop")).flat_map(Element::elements) {
                let name = Name { namespace: &property.namespace, name: &property.name };
                update.outcomes.push((name, client_props::add(&mut update.change, property, set).err()));
            }
        }
        match update.outcomes.len() {
            0 => Err(Error::bad("the propertyupdate changes nothing")),
            1..=MOST_CHANGES => Ok(update),
            _ => Err(Error::bad("the propertyupdate changes too many properties")),
        }
    }

    fn is_accepted(&self) -> bool {
        self.outcomes.iter().all(|(_, refusal)| refusal.is_none())
    }

    fn names(&self, refusal: Option<Refusal>) -> Vec<Name<'d>> {
        self.outcomes.iter().filter(|(_, why)| *why == refusal).map(|(name, _)| *name).collect()
    }
}
