//! PROPFIND (RFC 4918, 9.1): what is asked. `listing` writes the answer.

use http::Response;

use super::headers::Depth;
use super::listing;
use super::mount::Tree;
use super::multistatus::Multistatus;
use super::preconditions::Preconditions;
use super::props::{AV_STATUS, Name, Resource, Value, is_live};
use super::request::Request;
use super::sync_props;
use super::trash;
use super::xml::{DAV, Element};
use crate::body::Body;
use crate::error::{Error, Result};
use crate::store::{Detail, Listing, Scope, ViewRequest};

/// The most properties that a request may name, and the bytes of their names: each is written for
/// each entry.
const MOST_NAMES: usize = 512;
const MOST_BYTES: usize = 16 * 1024;

/// Which properties a client asks for.
pub enum Wanted {
    /// All that it need not know by name, and those that it names besides.
    All(Vec<(String, String)>),
    /// The names of all.
    Names,
    /// These.
    Named(Vec<(String, String)>),
}

/// The properties of a file or folder, and, by Depth, of what is in it.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let depth = request.depth()?.unwrap_or(Depth::Infinity);
    let preconditions = Preconditions::read(request)?;
    let wanted = Wanted::of(request.xml(body).await?.as_ref())?;
    let limit = request.cx.config.propfind_limit;
    let detail = Detail { properties: wanted.dead_properties(), digests: wanted.content(), parts: false };
    let mut read = ViewRequest {
        addresses: vec![request.address()],
        detail,
        listing_detail: detail,
        listing: match depth {
            Depth::Zero => Listing::Nothing,
            Depth::One => Listing::Members,
            Depth::Infinity => Listing::Below(limit),
        },
        locks_below: false,
    };
    preconditions.extend(&mut read);
    let trash = match request.tree {
        Tree::Trash => Some(match trash::number(request.path.segments())? {
            Some(item) => request.drive.find_trashed(item),
            None => request.drive.trash_statement(0, limit),
        }),
        _ => None,
    };
    let view = request.drive.view(&request.credentials, &read, trash.into_iter().collect()).await?;
    view.caller.scopes.require(Scope::Read)?;
    view.trail()?.existing()?;
    preconditions.check_if(&view, 1)?;
    if depth == Depth::Infinity && view.listing.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(Error::ForbiddenCondition("propfind-finite-depth"));
    }
    listing::answer(request, view, wanted).await
}

impl Wanted {
    /// What a body asks for; everything where there is none.
    pub fn of(document: Option<&Element>) -> Result<Self> {
        document.map_or(Ok(Self::All(Vec::new())), Self::read)
    }

    /// Reads a `propfind`: 400 where it asks for nothing. What else stands in it is ignored, stray
    /// text among it, which a client is known to send.
    pub fn read(document: &Element) -> Result<Self> {
        if !document.is(DAV, "propfind") {
            return Err(Error::bad("the body is no propfind"));
        }
        if let Some(prop) = document.child(DAV, "prop") {
            return Ok(Self::Named(names(prop)?));
        }
        if document.child(DAV, "propname").is_some() {
            return Ok(Self::Names);
        }
        match document.child(DAV, "allprop") {
            Some(_) => Ok(Self::All(document.child(DAV, "include").map(names).transpose()?.unwrap_or_default())),
            None => Err(Error::bad("the propfind asks for nothing")),
        }
    }

    /// Whether an answer needs the dead properties.
    fn dead_properties(&self) -> bool {
        match self {
            Self::All(_) | Self::Names => true,
            Self::Named(names) => names.iter().any(|name| !is_live(as_name(name))),
        }
    }

    /// Whether an answer needs what is known of contents, which costs a row a file.
    fn content(&self) -> bool {
        match self {
            Self::Names => true,
            Self::All(names) | Self::Named(names) => {
                names.iter().map(as_name).any(|name| name == AV_STATUS || sync_props::needs_content(name))
            }
        }
    }

    /// Which of `all` properties of something that has no others are asked for, and which that are asked for are missing.
    pub fn choose<'a>(&'a self, all: Vec<(Name<'a>, Value<'a>)>) -> (Vec<(Name<'a>, Value<'a>)>, Vec<Name<'a>>) {
        match self {
            Self::All(_) => (all, Vec::new()),
            Self::Names => (all.into_iter().map(|(name, _)| (name, Value::Empty)).collect(), Vec::new()),
            Self::Named(names) => {
                let names = || names.iter().map(as_name);
                let missing = names().filter(|name| !all.iter().any(|(have, _)| have == name)).collect();
                (all.into_iter().filter(|(have, _)| names().any(|name| name == *have)).collect(), missing)
            }
        }
    }

    /// Writes the response for one resource.
    pub fn write(&self, resource: &Resource<'_>, href: &str, answer: &mut Multistatus) {
        match self {
            Self::Names => {
                let names: Vec<_> = resource.all().into_iter().map(|(name, _)| (name, Value::Empty)).collect();
                answer.properties(href, &names, &[]);
            }
            Self::All(include) => {
                let mut found = resource.all();
                let (more, missing) = split(resource, include);
                let more: Vec<_> =
                    more.into_iter().filter(|(name, _)| !found.iter().any(|(have, _)| have == name)).collect();
                found.extend(more);
                answer.properties(href, &found, &missing);
            }
            Self::Named(names) => {
                let (found, missing) = split(resource, names);
                answer.properties(href, &found, &missing);
            }
        }
    }
}

/// The names of the elements in `prop` or `include`.
fn names(element: &Element) -> Result<Vec<(String, String)>> {
    let names: Vec<_> = element.elements().map(|child| (child.namespace.clone(), child.name.clone())).collect();
    let bytes: usize = names.iter().map(|(namespace, name)| namespace.len() + name.len()).sum();
    if names.len() > MOST_NAMES || bytes > MOST_BYTES {
        return Err(Error::bad("the propfind names too many properties"));
    }
    Ok(names)
}

fn as_name((namespace, name): &(String, String)) -> Name<'_> {
    Name { namespace, name }
}

/// Those of `names` that the resource has, and the others.
fn split<'a>(resource: &Resource<'a>, names: &'a [(String, String)]) -> (Vec<(Name<'a>, Value<'a>)>, Vec<Name<'a>>) {
    let mut found = Vec::with_capacity(names.len());
    let mut missing = Vec::new();
    for name in names.iter().map(as_name) {
        match resource.value(name) {
            Some(value) => found.push((name, value)),
            None => missing.push(name),
        }
    }
    (found, missing)
}
