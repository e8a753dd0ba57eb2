//! The table of live properties: every property that the server makes, one row each. All rows of the tables in
//! Nextcloud's and ownCloud's documentation are here, also those that only something in the trash has.
//!
//! A row's value is None where the resource cannot have the property: 404 in its propstat. What nothing can have, since
//! this product has no such thing, is `absent`; where the documentation knows a value for "nothing", it is given instead.
//! Which of them clients may set, `client_props` tells.

use std::borrow::Cow;

use super::lock_props::{self, BY_WEBDAV, SUPPORTED_LOCK, lock};
use super::property::{Name, Value, number, text};
use super::resource::Resource;
use super::sync_props as sync;
use crate::date::{http_date, iso8601};
use crate::dav::xml::{DAV, NEXTCLOUD, OWNCLOUD};
use crate::store::Property;

/// The namespaces of Nextcloud's share permissions.
const OCS: &str = "http://open-collaboration-services.org/ns";
const OCM: &str = "http://open-cloud-mesh.org/ns";

/// The namespace of the properties that Windows Explorer sets.
pub const WINDOWS: &str = "urn:schemas-microsoft-com:";

/// The namespace of what only this program has.
const OURS: &str = "urn:edgedrive";

/// The content of `supported-report-set` (RFC 3253, 3.1.5).
const SUPPORTED_REPORTS: &str = "<d:supported-report xmlns:d=\"DAV:\"><d:report>\
     <oc:filter-files xmlns:oc=\"http://owncloud.org/ns\"/></d:report></d:supported-report>";

/// The content of `supported-query-grammar-set` (RFC 5323, 3.3).
const SUPPORTED_GRAMMARS: &str = "<d:supported-query-grammar xmlns:d=\"DAV:\"><d:grammar><d:basicsearch/></d:grammar>\
     </d:supported-query-grammar>";

/// A live property.
#[derive(Debug)]
pub struct Live {
    namespace: &'static str,
    name: &'static str,
    /// Its value; none where the resource has no such property.
    pub value: Getter,
    /// What its value is made of, beside the node's row.
    pub needs: Needs,
    /// Whether a client gets it without asking for it by name.
    pub in_allprop: bool,
}

/// Makes the value of a property.
type Getter = for<'a> fn(&Resource<'a>) -> Option<Value<'a>>;

/// What has to be read for a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// The row of the node, and its locks.
    Nothing,
    /// The locks of infinite depth above the node, too.
    Locks,
    /// Its tags.
    Tags,
    /// What is known of its content, which costs a row a file.
    Content,
}

impl Live {
    /// Its name.
    pub fn name(&self) -> Name<'static> {
        Name { namespace: self.namespace, name: self.name }
    }

    const fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    const fn in_allprop(self) -> Self {
        Self { in_allprop: true, ..self }
    }
}

const fn live(namespace: &'static str, name: &'static str, value: Getter) -> Live {
    Live { namespace, name, value, needs: Needs::Nothing, in_allprop: false }
}

/// What nothing here can have.
const fn absent(namespace: &'static str, name: &'static str) -> Live {
    live(namespace, name, |_| None)
}

/// What is empty for everything here.
const fn empty(namespace: &'static str, name: &'static str) -> Live {
    live(namespace, name, |_| Some(Value::Empty))
}

/// The row of a property; none for a dead one.
pub fn find(name: Name<'_>) -> Option<&'static Live> {
    LIVE.iter().find(|live| live.name() == name)
}

/// The value of a property that `live` describes, if there is such a row, and that is a dead one otherwise; none where
/// the resource has no such property.
pub fn value<'a>(resource: &Resource<'a>, name: Name<'_>, live: Option<&Live>) -> Option<Value<'a>> {
    match live {
        Some(live) => (live.value)(resource),
        None => resource.node.properties.iter().find(|property| name_of(property) == name).map(dead),
    }
}

/// All properties that a client need not know by name (RFC 4918, 9.1), and the dead ones.
pub fn all<'a>(resource: &Resource<'a>) -> Vec<(Name<'a>, Value<'a>)> {
    let live =
        LIVE.iter().filter(|live| live.in_allprop).filter_map(|live| Some((live.name(), (live.value)(resource)?)));
    live.chain(resource.node.properties.iter().map(|property| (name_of(property), dead(property)))).collect()
}

fn name_of(property: &Property) -> Name<'_> {
    Name { namespace: &property.namespace, name: &property.name }
}

fn dead(property: &Property) -> Value<'_> {
    Value::Xml(Cow::Borrowed(&property.value), property.lang.as_deref())
}

/// All live properties. Those of `allprop` are the ones of RFC 4918; the quota is for those who ask by name (RFC 4331, 2).
static LIVE: &[Live] = &[
    // RFC 4918, 15
    live(DAV, "creationdate", |r| text(iso8601(r.node.created_at))).in_allprop(),
    live(DAV, "displayname", display_name).in_allprop(),
    live(DAV, "getcontentlength", |r| number(r.file()?.size)).in_allprop(),
    live(DAV, "getcontenttype", |r| text(r.file()?.mime())).in_allprop(),
    live(DAV, "getetag", |r| text(format!("\"{}\"", r.node.etag))).in_allprop(),
    live(DAV, "getlastmodified", |r| text(http_date(r.node.modified_at))).in_allprop(),
    live(DAV, "lockdiscovery", lock_props::discovery).in_allprop().needs(Needs::Locks),
    live(DAV, "resourcetype", |r| Some(r.folder().map_or(Value::Empty, |_| Value::COLLECTION))).in_allprop(),
    live(DAV, "supportedlock", |_| constant(SUPPORTED_LOCK)).in_allprop(),
    // RFC 4331
    live(DAV, "quota-available-bytes", quota_available),
    live(DAV, "quota-used-bytes", |r| {
        let size = r.folder()?.size;
        number(if r.is_root { r.viewer.caller.used() } else { size })
    }),
    // RFC 3253, 3.1.5
    live(DAV, "supported-report-set", |r| r.folder().and_then(|_| constant(SUPPORTED_REPORTS))),
    // RFC 5323, 3.3
    live(DAV, "supported-query-grammar-set", |r| r.folder().and_then(|_| constant(SUPPORTED_GRAMMARS))),
    // How Nextcloud's clients set the time of modification; getlastmodified tells it.
    absent(DAV, "lastmodified"),
    // How Windows sets times. They are the same ones.
    live(WINDOWS, "Win32CreationTime", |r| text(http_date(r.node.created_at))),
    live(WINDOWS, "Win32LastModifiedTime", |r| text(http_date(r.node.modified_at))),
    live(OURS, "av-status", |r| text(r.node.content.as_ref()?.av.name())).needs(Needs::Content),
    // Only where a client's checksum was another one than that of what has come.
    live(OURS, "checksum-mismatch", |r| text(r.node.content.as_ref()?.is_mismatch().then_some("1")?))
        .needs(Needs::Content),
    // Nextcloud and ownCloud
    live(OWNCLOUD, "id", sync::id),
    live(OWNCLOUD, "fileid", sync::file_id),
    live(OWNCLOUD, "privatelink", sync::private_link),
    // "No storage implements that yet": files have an empty one in Nextcloud, folders none.
    live(OWNCLOUD, "downloadURL", |r| r.file().map(|_| Value::Empty)),
    live(OWNCLOUD, "permissions", sync::permissions),
    live(OWNCLOUD, "size", |r| number(r.node.size)),
    live(OWNCLOUD, "favorite", sync::favorite).needs(Needs::Tags),
    live(OWNCLOUD, "tags", sync::tags).needs(Needs::Tags),
    live(OWNCLOUD, "owner-id", |r| text(&r.viewer.caller.login)),
    live(OWNCLOUD, "owner-display-name", |r| text(&r.viewer.caller.display_name)),
    live(OWNCLOUD, "checksums", sync::checksums).needs(Needs::Content),
    empty(OWNCLOUD, "data-fingerprint"),
    empty(NEXTCLOUD, "data-fingerprint"),
    live(NEXTCLOUD, "creation_time", |r| number(r.node.created_at / 1000)),
    live(NEXTCLOUD, "upload_time", |r| number(r.file()?.uploaded_at.unwrap_or(r.node.created_at) / 1000)),
    live(NEXTCLOUD, "contained-file-count", |r| number(r.folder()?.member_files)),
    live(NEXTCLOUD, "contained-folder-count", |r| number(r.folder()?.member_folders)),
    empty(NEXTCLOUD, "mount-type"),
    live(NEXTCLOUD, "is-encrypted", |_| text("0")),
    live(NEXTCLOUD, "has-preview", |_| text("false")),
    live(OWNCLOUD, "audio", sync::audio).needs(Needs::Content),
    live(OWNCLOUD, "location", sync::location).needs(Needs::Content),
    // Nextcloud's locks
    live(NEXTCLOUD, "lock", lock_props::is_locked).needs(Needs::Locks),
    live(NEXTCLOUD, "lock-owner-type", |r| lock(r).and_then(|_| text(BY_WEBDAV))).needs(Needs::Locks),
    live(NEXTCLOUD, "lock-owner", |r| lock(r).and_then(|_| text(&r.viewer.caller.login))).needs(Needs::Locks),
    live(NEXTCLOUD, "lock-owner-displayname", |r| lock(r).and_then(|_| text(&r.viewer.caller.display_name)))
        .needs(Needs::Locks),
    // No app takes locks.
    absent(NEXTCLOUD, "lock-owner-editor"),
    live(NEXTCLOUD, "lock-time", |r| number(lock(r)?.taken_at / 1000)).needs(Needs::Locks),
    live(NEXTCLOUD, "lock-timeout", lock_props::timeout).needs(Needs::Locks),
    live(NEXTCLOUD, "lock-token", lock_props::token).needs(Needs::Locks),
    // What was deleted, in Nextcloud's trash and in ownCloud's.
    live(NEXTCLOUD, "trashbin-filename", |r| text(&r.deletion?.original_name)),
    live(NEXTCLOUD, "trashbin-title", |r| text(&r.deletion?.original_name)),
    live(NEXTCLOUD, "trashbin-original-location", |r| text(&r.deletion?.location)),
    live(NEXTCLOUD, "trashbin-deletion-time", |r| number(r.deletion?.deleted_at / 1000)),
    live(NEXTCLOUD, "trashbin-deleted-by-id", |r| r.deletion.and_then(|_| text(&r.viewer.caller.login))),
    live(NEXTCLOUD, "trashbin-deleted-by-display-name", |r| {
        r.deletion.and_then(|_| text(&r.viewer.caller.display_name))
    }),
    live(OWNCLOUD, "trashbin-original-filename", |r| text(&r.deletion?.original_name)),
    live(OWNCLOUD, "trashbin-original-location", |r| text(&r.deletion?.location)),
    live(OWNCLOUD, "trashbin-delete-datetime", |r| text(http_date(r.deletion?.deleted_at))),
    live(OWNCLOUD, "trashbin-delete-timestamp", |r| number(r.deletion?.deleted_at / 1000)),
    // Nothing is shared.
    empty(OWNCLOUD, "share-types"),
    empty(NEXTCLOUD, "sharees"),
    live(NEXTCLOUD, "share-attributes", |_| text("[]")),
    live(OCS, "share-permissions", sync::share_permissions),
    live(OCM, "share-permissions", sync::ocm_share_permissions),
    empty(NEXTCLOUD, "note"),
    absent(OWNCLOUD, "shareid"),
    absent(OWNCLOUD, "shareroot"),
    absent(OWNCLOUD, "remoteItemId"),
    absent(OWNCLOUD, "public-link-item-type"),
    absent(OWNCLOUD, "public-link-permission"),
    absent(OWNCLOUD, "public-link-expiration"),
    absent(OWNCLOUD, "public-link-share-datetime"),
    absent(OWNCLOUD, "public-link-share-owner"),
    // There are no comments; a URL for them would lead nowhere.
    live(OWNCLOUD, "comments-count", |_| text("0")),
    live(OWNCLOUD, "comments-unread", |_| text("0")),
    absent(OWNCLOUD, "comments-href"),
    // There are no workspaces, reminders and group folders.
    live(NEXTCLOUD, "rich-workspace", |r| r.folder().map(|_| Value::Empty)),
    live(NEXTCLOUD, "rich-workspace-file", |r| r.folder().map(|_| Value::Empty)),
    empty(NEXTCLOUD, "reminder-due-date"),
    live(NEXTCLOUD, "acl-enabled", |_| text("0")),
    live(NEXTCLOUD, "acl-can-manage", |_| text("0")),
    empty(NEXTCLOUD, "acl-list"),
    empty(NEXTCLOUD, "inherited-acl-list"),
    absent(NEXTCLOUD, "group-folder-id"),
];

#[expect(clippy::unnecessary_wraps, reason = "it makes what a row of the table is to give")]
fn constant<'a>(xml: &'static str) -> Option<Value<'a>> {
    Some(Value::Xml(Cow::Borrowed(xml), None))
}

fn display_name<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let own = resource.deletion.map_or(&resource.node.name, |deletion| &deletion.original_name);
    text(if resource.is_root { &resource.viewer.mount_name } else { own })
}

fn quota_available<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    resource.folder()?;
    match resource.viewer.caller.available() {
        Some(available) => number(available),
        // RFC 4331 knows no number for "no limit", and other clients take a negative one for an enormous one or for none
        // at all; those of Nextcloud and ownCloud know -3.
        None if resource.viewer.is_sync => text("-3"),
        None => None,
    }
}
