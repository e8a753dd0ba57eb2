//! The properties that the sync clients of Nextcloud and ownCloud ask for, in the namespaces `oc`, `nc`, `ocs` and `ocm`.
//!
//! One that this product has no use for has the value that says so. Favourites and tags are dead properties with a
//! default.

use std::borrow::Cow;

use super::props::{Ids, Name, Resource, Value};
use super::xml::{NEXTCLOUD, OWNCLOUD};
use crate::resource::{self, space_id};
use crate::store::{Scope, Scopes};

const OCS: &str = "http://open-collaboration-services.org/ns";
const OCM: &str = "http://open-cloud-mesh.org/ns";

/// What clients may set: everything else is made by the server.
const SETTABLE: [(&str, &str); 3] = [(OWNCLOUD, "favorite"), (OWNCLOUD, "tags"), (NEXTCLOUD, "creation_time")];

/// Whether the server makes the property itself, so that clients cannot set it.
pub fn is_live(name: Name<'_>) -> bool {
    let is_settable = SETTABLE.contains(&(name.namespace, name.name));
    !is_settable && PROPERTIES.contains(&(name.namespace, name.name))
}

/// Whether a value needs the digests of the content.
pub fn needs_content(name: Name<'_>) -> bool {
    name.namespace == OWNCLOUD && name.name == "checksums"
}

/// All that `value` knows.
const PROPERTIES: [(&str, &str); 22] = [
    (OWNCLOUD, "id"),
    (OWNCLOUD, "fileid"),
    (OWNCLOUD, "permissions"),
    (OWNCLOUD, "size"),
    (OWNCLOUD, "favorite"),
    (OWNCLOUD, "tags"),
    (OWNCLOUD, "owner-id"),
    (OWNCLOUD, "owner-display-name"),
    (OWNCLOUD, "checksums"),
    (OWNCLOUD, "share-types"),
    (OWNCLOUD, "comments-count"),
    (OWNCLOUD, "comments-unread"),
    (OWNCLOUD, "data-fingerprint"),
    (NEXTCLOUD, "data-fingerprint"),
    (NEXTCLOUD, "creation_time"),
    (NEXTCLOUD, "upload_time"),
    (NEXTCLOUD, "mount-type"),
    (NEXTCLOUD, "is-encrypted"),
    (NEXTCLOUD, "has-preview"),
    (NEXTCLOUD, "sharees"),
    (OCS, "share-permissions"),
    (OCM, "share-permissions"),
];

/// The value of a property; none where the resource has no such property.
pub fn value<'a>(resource: &Resource<'a>, name: Name<'_>) -> Option<Value<'a>> {
    match name.namespace {
        OWNCLOUD => owncloud(resource, name.name),
        NEXTCLOUD => nextcloud(resource, name.name),
        OCS if name.name == "share-permissions" => Some(text("1")),
        OCM if name.name == "share-permissions" => Some(text("[\"read\"]")),
        _ => None,
    }
}

fn owncloud<'a>(resource: &Resource<'a>, name: &str) -> Option<Value<'a>> {
    let node = resource.node;
    Some(match name {
        "id" => text(global_id(resource.ids, resource.caller.account_id, node.id)),
        "fileid" if resource.ids == Ids::Spaces => text(global_id(resource.ids, resource.caller.account_id, node.id)),
        "fileid" => text(node.id.to_string()),
        "permissions" => text(permissions(resource)),
        "size" => text(node.size.to_string()),
        "favorite" | "comments-count" | "comments-unread" => text("0"),
        "tags" | "share-types" | "data-fingerprint" => Value::Empty,
        "owner-id" => text(resource.caller.login.clone()),
        "owner-display-name" => text(resource.caller.display_name.clone()),
        "checksums" => checksums(resource)?,
        _ => return None,
    })
}

fn nextcloud<'a>(resource: &Resource<'a>, name: &str) -> Option<Value<'a>> {
    let node = resource.node;
    Some(match name {
        "creation_time" | "upload_time" => text((node.created_at / 1000).to_string()),
        "mount-type" | "sharees" | "data-fingerprint" => Value::Empty,
        "is-encrypted" => text("0"),
        "has-preview" => text("false"),
        _ => return None,
    })
}

/// Unique among all nodes of the world, and for ever.
pub fn global_id(ids: Ids, account: i64, node: i64) -> String {
    match ids {
        Ids::Nextcloud => resource::global_id(node),
        Ids::Spaces => format!("{}!{node}", space_id(account)),
    }
}

/// What the caller may do, by letters: G read, D delete, N rename, V move, W write, C and K make files and folders.
fn permissions(resource: &Resource<'_>) -> String {
    letters(
        &resource.caller.scopes,
        match (resource.is_root, resource.node.is_folder()) {
            (true, _) => "CK",
            (false, true) => "DNVCK",
            (false, false) => "DNVW",
        },
    )
}

/// The same of any file.
pub fn file_permissions(scopes: &Scopes) -> String {
    letters(scopes, "DNVW")
}

fn letters(scopes: &Scopes, of_writers: &str) -> String {
    let read = if scopes.has(Scope::Read) { "G" } else { "" };
    let write = if scopes.has(Scope::Write) { of_writers } else { "" };
    format!("{read}{write}")
}

/// In one element, as ownCloud began it and all clients read it.
fn checksums<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let content = resource.node.content.as_ref().filter(|content| !content.sha1.is_empty())?;
    let mut sums = format!("SHA1:{} MD5:{}", content.sha1, content.md5);
    if !content.adler32.is_empty() {
        sums.push_str(" ADLER32:");
        sums.push_str(&content.adler32);
    }
    let xml = format!("<oc:checksum xmlns:oc=\"{OWNCLOUD}\">{sums}</oc:checksum>");
    Some(Value::Xml(Cow::Owned(xml), None))
}

fn text<'a>(text: impl Into<Cow<'a, str>>) -> Value<'a> {
    Value::Text(text.into())
}
