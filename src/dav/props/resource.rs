//! The properties of a resource: those that the server makes, which are in the table `live`, and dead ones.

use std::borrow::Cow;

use super::live::{LIVE, Live};
use crate::dav::xml::Writer;
use crate::ports::Millis;
use crate::resource::Ids;
use crate::store::{Caller, Lock, Node, Property, Trashed};

/// The name of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    /// Its namespace; may be empty.
    pub namespace: &'a str,
    /// Its local name.
    pub name: &'a str,
}

/// The value of a property, ready to be written.
pub enum Value<'a> {
    /// Text, to be escaped.
    Text(Cow<'a, str>),
    /// XML that stands by itself, and its language.
    Xml(Cow<'a, str>, Option<&'a str>),
    /// Nothing: only its name is asked for, or it is empty.
    Empty,
}

impl Value<'_> {
    /// The `resourcetype` of a collection.
    pub const COLLECTION: Self = Value::Xml(Cow::Borrowed("<d:collection xmlns:d=\"DAV:\"/>"), None);

    /// Writes the property.
    pub fn write(&self, name: Name<'_>, xml: &mut Writer) {
        match self {
            Value::Text(text) => xml.text(name.namespace, name.name, text),
            Value::Xml(inner, lang) => xml.raw(name.namespace, name.name, *lang, inner),
            Value::Empty => xml.empty(name.namespace, name.name),
        }
    }
}

/// Who looks at resources, and by which mount.
pub struct Viewer {
    /// Who asks.
    pub caller: Caller,
    /// The name that clients show for the mount.
    pub mount_name: String,
    /// In which form ids are told.
    pub ids: Ids,
    /// Whether the mount is one of Nextcloud's or ownCloud's, whose clients know more than the RFCs say.
    pub is_sync: bool,
    /// Whether it shows what was deleted.
    pub is_trash: bool,
    /// The URL of the program as the client sees it, if that is known.
    pub base_url: Option<String>,
    /// The present time.
    pub now: Millis,
}

/// A resource whose properties are asked for.
pub struct Resource<'a> {
    /// Its row.
    pub node: &'a Node,
    /// Whether it is the root of the mount, which shows the mount's name.
    pub is_root: bool,
    /// The locks that hold for it, each with the href that it was taken on.
    pub locks: &'a [(Lock, String)],
    /// Who asks.
    pub viewer: &'a Viewer,
    /// How it was deleted, if it was.
    pub deletion: Option<&'a Deletion>,
}

/// How something was deleted.
#[derive(Debug, Clone)]
pub struct Deletion {
    /// What it was called.
    pub original_name: String,
    /// The names from the drive's root to where it was, with slashes between them.
    pub location: String,
    /// When.
    pub deleted_at: Millis,
}

impl Deletion {
    /// That of an item of the trash.
    pub fn of(trashed: &Trashed) -> Self {
        let Trashed { original_name, location, deleted_at, .. } = trashed;
        Self { original_name: original_name.clone(), location: location.clone(), deleted_at: *deleted_at }
    }

    /// That of what is below it by these names, which was deleted with it.
    #[must_use]
    pub fn below<T: AsRef<str>>(self, names: &[T]) -> Self {
        names.iter().map(AsRef::as_ref).fold(self, |above, name| Self {
            original_name: name.to_owned(),
            location: format!("{}/{name}", above.location),
            ..above
        })
    }
}

impl<'a> Resource<'a> {
    /// The value of a property that `live` describes, if there is such a row, and that is a dead one otherwise; none
    /// where the resource has no such property.
    pub fn value(&self, name: Name<'_>, live: Option<&Live>) -> Option<Value<'a>> {
        match live {
            Some(live) => (live.value)(self),
            None => self.node.properties.iter().find(|property| name_of(property) == name).map(dead),
        }
    }

    /// All properties that a client need not know by name (RFC 4918, 9.1), and the dead ones.
    pub fn all(&self) -> Vec<(Name<'a>, Value<'a>)> {
        let live =
            LIVE.iter().filter(|live| live.in_allprop).filter_map(|live| Some((live.name(), (live.value)(self)?)));
        live.chain(self.node.properties.iter().map(|property| (name_of(property), dead(property)))).collect()
    }

    /// The node, if it is a file.
    pub fn file(&self) -> Option<&'a Node> {
        Some(self.node).filter(|node| !node.is_folder())
    }

    /// The node, if it is a folder.
    pub fn folder(&self) -> Option<&'a Node> {
        Some(self.node).filter(|node| node.is_folder())
    }
}

fn name_of(property: &Property) -> Name<'_> {
    Name { namespace: &property.namespace, name: &property.name }
}

fn dead(property: &Property) -> Value<'_> {
    Value::Xml(Cow::Borrowed(&property.value), property.lang.as_deref())
}
