//! PROPPATCH (RFC 4918, 9.2)

use http::Response;

use crate::body::Body;
use crate::dav::answer::multistatus::Multistatus;
use crate::dav::props::client_props::{self, Refusal};
use crate::dav::props::property::Name;
use crate::dav::request::Request;
use crate::dav::request::preconditions::Preconditions;
use crate::dav::xml::{DAV, Element, OWNCLOUD};
use crate::error::{Error, Result};
use crate::store::{Algorithm, Detail, Held, MetadataChange, Node, Scope, ViewRequest, twice};

/// The most properties that one request may change.
const MOST_CHANGES: usize = 512;

const CHECKSUMS: Name<'static> = Name { namespace: OWNCLOUD, name: "checksums" };

const OK: &str = "HTTP/1.1 200 OK";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden";
const CONFLICT: &str = "HTTP/1.1 409 Conflict";
const FAILED_DEPENDENCY: &str = "HTTP/1.1 424 Failed Dependency";

/// Sets and removes properties, all or none: one that the server makes itself, or whose value makes no sense, spoils the
/// others, too.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let document = request.xml(body).await?.ok_or_else(|| Error::bad("the body is empty"))?;
    let mut update = Update::read(&document)?;
    let detail = Detail { digests: !update.believed.is_empty(), ..Detail::default() };
    let mut wanted = ViewRequest { locks_below: true, detail, ..ViewRequest::of(request.address()) };
    preconditions.extend(&mut wanted);
    let (href, is_believed_rightly) = twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let node = trail.existing()?;
        preconditions.check(&view, 1)?;
        preconditions.unlocked(&request.mount, trail)?;
        let is_believed_rightly = update.is_believed_rightly(node);
        if update.is_accepted() && is_believed_rightly {
            view.change_metadata(&Held::of(trail, preconditions.expect())?, &update.change).await?;
        }
        Ok((request.href(trail.names(), node.is_folder()), is_believed_rightly))
    })
    .await?;
    if !is_believed_rightly {
        update.refuse(CHECKSUMS);
    }

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
    /// The checksums, `SHA1:…`, that the client says the file has: rclone sends them beside a time.
    believed: Vec<String>,
    /// The properties in order, with why one cannot be changed.
    outcomes: Vec<(Name<'d>, Option<Refusal>)>,
}

impl<'d> Update<'d> {
    /// Reads the instructions in order: 400 where there are none.
    fn read(document: &'d Element) -> Result<Self> {
        if !document.is(DAV, "propertyupdate") {
            return Err(Error::bad("the body is no propertyupdate"));
        }
        let mut update = Self { change: MetadataChange::default(), believed: Vec::new(), outcomes: Vec::new() };
        for instruction in document.elements() {
            let set = instruction.is(DAV, "set");
            if !set && !instruction.is(DAV, "remove") {
                continue;
            }
            for property in instruction.elements().filter(|child| child.is(DAV, "prop")).flat_map(Element::elements) {
                let name = Name { namespace: &property.namespace, name: &property.name };
                let outcome = if set && name == CHECKSUMS {
                    update.believed.extend(property.elements().map(Element::text));
                    Ok(())
                } else {
                    client_props::add(&mut update.change, property, set)
                };
                update.outcomes.push((name, outcome.err()));
            }
        }
        match update.outcomes.len() {
            0 => Err(Error::bad("the propertyupdate changes nothing")),
            1..=MOST_CHANGES => Ok(update),
            _ => Err(Error::bad("the propertyupdate changes too many properties")),
        }
    }

    /// Whether the file has the checksums that the client says it has.
    fn is_believed_rightly(&self, node: &Node) -> bool {
        self.believed.iter().all(|checksum| {
            let known = checksum.split_once(':').and_then(|(name, value)| Some((Algorithm::parse(name)?, value)));
            known.zip(node.content.as_ref()).is_some_and(|((algorithm, value), content)| {
                !value.is_empty() && value.eq_ignore_ascii_case(algorithm.recorded(content))
            })
        })
    }

    fn refuse(&mut self, property: Name<'_>) {
        for (_, refusal) in self.outcomes.iter_mut().filter(|(name, _)| *name == property) {
            *refusal = Some(Refusal::Protected);
        }
    }

    fn is_accepted(&self) -> bool {
        self.outcomes.iter().all(|(_, refusal)| refusal.is_none())
    }

    fn names(&self, refusal: Option<Refusal>) -> Vec<Name<'d>> {
        self.outcomes.iter().filter(|(_, why)| *why == refusal).map(|(name, _)| *name).collect()
    }
}
