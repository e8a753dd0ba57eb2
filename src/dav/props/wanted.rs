//! Which properties a client asks for: `propfind` (RFC 4918, 14.20), and `prop` in other requests.

use super::live::{self, Live, Needs};
use super::property::{Name, Value};
use super::resource::Resource;
use crate::dav::xml::{DAV, Element};
use crate::error::{Error, Result};
use crate::store::Detail;

/// The most properties that a request may name, and the bytes of their names: each is written for
/// each entry.
const MOST_NAMES: usize = 512;
const MOST_BYTES: usize = 16 * 1024;

/// The properties of RFC 4331, which are not in an `allprop`.
const QUOTA: [Name<'static>; 2] =
    [Name { namespace: DAV, name: "quota-available-bytes" }, Name { namespace: DAV, name: "quota-used-bytes" }];

/// Which properties a client asks for.
#[derive(Debug)]
pub enum Wanted {
    /// It does not say: all that it need not know by name, and the quota, for which Nextcloud's clients look there.
    Unsaid,
    /// All that it need not know by name, and those that it names besides.
    All(Vec<Asked>),
    /// The names of all.
    Names,
    /// These.
    Named(Vec<Asked>),
}

/// A property that is asked for by name.
#[derive(Debug)]
pub struct Asked {
    namespace: String,
    name: String,
    /// Its row, unless it is a dead one.
    live: Option<&'static Live>,
}

impl Asked {
    fn name(&self) -> Name<'_> {
        Name { namespace: &self.namespace, name: &self.name }
    }
}

impl Wanted {
    /// What the body of a PROPFIND asks for.
    pub fn of(document: Option<&Element>) -> Result<Self> {
        document.map_or(Ok(Self::Unsaid), Self::of_propfind)
    }

    /// Reads a `propfind`: 400 where it asks for nothing. What else stands in it is ignored, stray
    /// text among it, which a client is known to send.
    fn of_propfind(document: &Element) -> Result<Self> {
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

    /// The properties that the `prop` in `element` names, or all for an `allprop`; none where there is neither.
    pub fn of_prop(element: &Element) -> Result<Self> {
        if element.child(DAV, "allprop").is_some() {
            return Ok(Self::All(Vec::new()));
        }
        Ok(Self::Named(element.child(DAV, "prop").map(names).transpose()?.unwrap_or_default()))
    }

    /// What has to be read of each node.
    pub fn detail(&self) -> Detail {
        let is_dead = |asked: &Asked| asked.live.is_none();
        let properties = match self {
            Self::Unsaid | Self::All(_) | Self::Names => true,
            Self::Named(names) => names.iter().any(is_dead) || self.needs(Needs::Tags),
        };
        Detail { properties, digests: matches!(self, Self::Names) || self.needs(Needs::Content), parts: false }
    }

    /// Whether the locks above each node have to be known.
    pub fn locks(&self) -> bool {
        matches!(self, Self::Unsaid | Self::All(_)) || self.needs(Needs::Locks)
    }

    /// Whether a property that is named needs that.
    fn needs(&self, needs: Needs) -> bool {
        match self {
            Self::Unsaid | Self::Names => false,
            Self::All(names) | Self::Named(names) => {
                names.iter().filter_map(|asked| asked.live).any(|live| live.needs == needs)
            }
        }
    }

    /// Which of `all` properties of something that has no others are asked for, and which that are asked for are missing.
    pub fn choose<'a>(&'a self, all: Vec<(Name<'a>, Value<'a>)>) -> (Vec<(Name<'a>, Value<'a>)>, Vec<Name<'a>>) {
        match self {
            Self::Unsaid | Self::All(_) => (all, Vec::new()),
            Self::Names => (all.into_iter().map(|(name, _)| (name, Value::Empty)).collect(), Vec::new()),
            Self::Named(names) => {
                let names = || names.iter().map(Asked::name);
                let missing = names().filter(|name| !all.iter().any(|(have, _)| have == name)).collect();
                (all.into_iter().filter(|(have, _)| names().any(|name| name == *have)).collect(), missing)
            }
        }
    }

    /// The properties of a resource that are asked for, and the names of those that it has not.
    pub fn choose_from<'a>(&'a self, resource: &Resource<'a>) -> (Vec<(Name<'a>, Value<'a>)>, Vec<Name<'a>>) {
        match self {
            Self::Names => {
                (live::all(resource).into_iter().map(|(name, _)| (name, Value::Empty)).collect(), Vec::new())
            }
            Self::Unsaid => {
                let quota = QUOTA.iter().filter_map(|name| live::find(*name));
                let quota = quota.filter_map(|live| Some((live.name(), (live.value)(resource)?)));
                (live::all(resource).into_iter().chain(quota).collect(), Vec::new())
            }
            Self::All(include) => {
                let mut found = live::all(resource);
                let (more, missing) = split(resource, include);
                let more: Vec<_> =
                    more.into_iter().filter(|(name, _)| !found.iter().any(|(have, _)| have == name)).collect();
                found.extend(more);
                (found, missing)
            }
            Self::Named(names) => split(resource, names),
        }
    }
}

/// The properties that the elements in `prop` or `include` name: 400 for too many.
fn names(element: &Element) -> Result<Vec<Asked>> {
    let asked = |child: &Element| {
        let live = live::find(Name { namespace: &child.namespace, name: &child.name });
        Asked { namespace: child.namespace.clone(), name: child.name.clone(), live }
    };
    let names: Vec<_> = element.elements().map(asked).collect();
    let bytes: usize = names.iter().map(|asked| asked.namespace.len() + asked.name.len()).sum();
    if names.len() > MOST_NAMES || bytes > MOST_BYTES {
        return Err(Error::bad("the request names too many properties"));
    }
    Ok(names)
}

/// Those of `names` that the resource has, and the others.
fn split<'a>(resource: &Resource<'a>, names: &'a [Asked]) -> (Vec<(Name<'a>, Value<'a>)>, Vec<Name<'a>>) {
    let mut found = Vec::with_capacity(names.len());
    let mut missing = Vec::new();
    for asked in names {
        match live::value(resource, asked.name(), asked.live) {
            Some(value) => found.push((asked.name(), value)),
            None => missing.push(asked.name()),
        }
    }
    (found, missing)
}
