//! The properties that the server makes itself: live properties (RFC 4918, 15; RFC 4331).

use std::borrow::Cow;

use super::sync_props;
use super::trash;
use super::xml::{DAV, Writer};
use crate::date::{http_date, iso8601};
use crate::ports::Millis;
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
    /// Writes the property.
    pub fn write(&self, name: Name<'_>, xml: &mut Writer) {
        match self {
            Value::Text(text) => xml.text(name.namespace, name.name, text),
            Value::Xml(inner, lang) => xml.raw(name.namespace, name.name, *lang, inner),
            Value::Empty => xml.empty(name.namespace, name.name),
        }
    }
}

/// A resource whose properties are asked for.
pub struct Resource<'a> {
    /// Its row.
    pub node: &'a Node,
    /// Whether it is the root of the mount, which shows the mount's name.
    pub is_root: bool,
    /// The name that clients show for the mount.
    pub mount_name: &'a str,
    /// Who asks.
    pub caller: &'a Caller,
    /// The locks that hold for it, each with the href that it was taken on.
    pub locks: &'a [(Lock, String)],
    /// The present time.
    pub now: Millis,
    /// In which form ids are told.
    pub ids: Ids,
    /// How it was deleted, if it was.
    pub trashed: Option<&'a Trashed>,
}

/// The form of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// A number; with the instance behind it, where it is to be unique in the world.
    Nextcloud,
    /// `DRIVE!NUMBER`, below the URLs of spaces.
    Spaces,
}

/// The live properties of RFC 4918 and RFC 4331. Clients cannot set any of them.
const LIVE: [&str; 11] = [
    "creationdate",
    "displayname",
    "getcontentlength",
    "getcontenttype",
    "getetag",
    "getlastmodified",
    "lockdiscovery",
    "quota-available-bytes",
    "quota-used-bytes",
    "resourcetype",
    "supportedlock",
];

const SUPPORTED_LOCK: &str = "<d:lockentry xmlns:d=\"DAV:\"><d:lockscope><d:exclusive/></d:lockscope>\
     <d:locktype><d:write/></d:locktype></d:lockentry>\
     <d:lockentry xmlns:d=\"DAV:\"><d:lockscope><d:shared/></d:lockscope>\
     <d:locktype><d:write/></d:locktype></d:lockentry>";

/// The namespace of what only this program has.
const OURS: &str = "urn:edgedrive";

/// What a virus scanner said of a file: `pending`, `clean`, `infected`, `error` or `skipped`.
pub const AV_STATUS: Name<'static> = Name { namespace: OURS, name: "av-status" };

/// Whether the server makes the property itself, so that clients cannot set it.
pub fn is_live(name: Name<'_>) -> bool {
    name == AV_STATUS || name.namespace == DAV && LIVE.contains(&name.name) || sync_props::is_live(name)
}

impl<'a> Resource<'a> {
    /// The value of a property; none where the resource has no such property.
    pub fn value(&self, name: Name<'_>) -> Option<Value<'a>> {
        if name == AV_STATUS {
            return self.av_status();
        }
        if name.namespace == DAV && LIVE.contains(&name.name) {
            return self.live(name.name);
        }
        let property = self.node.properties.iter().find(|property| name_of(property) == name);
        let property = property.map(dead).or_else(|| sync_props::value(self, name));
        property.or_else(|| trash::property(self.trashed?, self.caller, name))
    }

    /// All properties: those that RFC 4918 defines, and the dead ones. The quota is for those who
    /// ask by name (RFC 4331, 2), and so is what needs the content to be read.
    pub fn all(&self) -> Vec<(Name<'a>, Value<'a>)> {
        let live = LIVE.into_iter().filter(|name| !name.starts_with("quota-"));
        let live = live.filter_map(|name| Some((Name { namespace: DAV, name }, self.live(name)?)));
        let live = live.chain(self.av_status().map(|value| (AV_STATUS, value)));
        live.chain(self.node.properties.iter().map(|property| (name_of(property), dead(property)))).collect()
    }

    fn av_status(&self) -> Option<Value<'a>> {
        Some(Value::Text(Cow::Borrowed(self.node.content.as_ref()?.av.name())))
    }

    fn live(&self, name: &str) -> Option<Value<'a>> {
        let node = self.node;
        let file = !node.is_folder();
        Some(match name {
            "creationdate" => text(iso8601(node.created_at)),
            "displayname" if self.is_root => Value::Text(Cow::Borrowed(self.mount_name)),
            "displayname" if let Some(trashed) = self.trashed => Value::Text(Cow::Borrowed(&trashed.original_name)),
            "displayname" => Value::Text(Cow::Borrowed(&node.name)),
            "getcontentlength" if file => text(node.size.to_string()),
            "getcontenttype" if file => text(node.mime()),
            "getetag" => text(format!("\"{}\"", node.etag)),
            "getlastmodified" => text(http_date(node.modified_at)),
            "lockdiscovery" => Value::Xml(Cow::Owned(self.lock_discovery()), None),
            "quota-available-bytes" if !file => text(self.caller.available()?.to_string()),
            "quota-used-bytes" if !file => text(if self.is_root { self.caller.used() } else { node.size }.to_string()),
            "resourcetype" if file => Value::Empty,
            "resourcetype" => Value::Xml(Cow::Borrowed("<d:collection xmlns:d=\"DAV:\"/>"), None),
            "supportedlock" => Value::Xml(Cow::Borrowed(SUPPORTED_LOCK), None),
            _ => return None,
        })
    }

    /// The content of `lockdiscovery`.
    pub fn lock_discovery(&self) -> String {
        self.locks.iter().map(|(lock, href)| active_lock(lock, href, self.now)).collect()
    }
}

/// `activelock` (RFC 4918, 14.1)
fn active_lock(lock: &Lock, href: &str, now: Millis) -> String {
    use quick_xml::escape::escape;
    let scope = if lock.is_exclusive() { "exclusive" } else { "shared" };
    let depth = if lock.is_infinite() { "infinity" } else { "0" };
    let seconds = ((lock.expires_at - now) / 1000).max(1);
    let owner = if lock.owner.is_empty() { String::new() } else { format!("<d:owner>{}</d:owner>", lock.owner) };
    let token = match lock.token.as_str() {
        "" => String::new(),
        token => format!("<d:locktoken><d:href>{}</d:href></d:locktoken>", escape(token)),
    };
    format!(
        "<d:activelock xmlns:d=\"DAV:\"><d:locktype><d:write/></d:locktype><d:lockscope><d:{scope}/></d:lockscope>\
         <d:depth>{depth}</d:depth>{owner}<d:timeout>Second-{seconds}</d:timeout>{token}\
         <d:lockroot><d:href>{}</d:href></d:lockroot></d:activelock>",
        escape(href)
    )
}

fn text<'a>(text: String) -> Value<'a> {
    Value::Text(Cow::Owned(text))
}

fn name_of(property: &Property) -> Name<'_> {
    Name { namespace: &property.namespace, name: &property.name }
}

fn dead(property: &Property) -> Value<'_> {
    Value::Xml(Cow::Borrowed(&property.value), property.lang.as_deref())
}
