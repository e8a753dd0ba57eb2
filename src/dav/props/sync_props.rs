//! Values of properties that the sync clients of Nextcloud and ownCloud ask for.

use quick_xml::escape::escape;

use super::property::{Value, number, text, xml};
use super::resource::Resource;
use crate::dav::xml::OWNCLOUD;
use crate::resource::Ids;
use crate::store::{Algorithm, FAVORITE, Scope, Scopes};

/// What a caller who may write may do with a file.
const OF_FILES: &str = "DNVW";

/// `oc:id`: the trash itself has none, since clients take all that has one there for something that was deleted.
pub fn id<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    if resource.is_root && resource.viewer.is_trash {
        return None;
    }
    text(resource.viewer.ids.global_id(resource.viewer.caller.account_id, resource.node.id))
}

/// `oc:fileid`: in ownCloud's spaces the same as `oc:id`.
pub fn file_id<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    match resource.viewer.ids {
        Ids::Nextcloud => id(resource).and_then(|_| number(resource.node.id)),
        Ids::Spaces => id(resource),
    }
}

/// `oc:privatelink`: an absolute URL that outlives moves.
pub fn private_link<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    text(format!("{}/f/{}", resource.viewer.base_url.as_ref()?, resource.node.id))
}

/// `oc:permissions`, by letters: G read, D delete, N rename, V move, W write, C and K make files and folders.
pub fn permissions<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let of_writers = match (resource.is_root, resource.node.is_folder()) {
        (true, _) => "CK",
        (false, true) => "DNVCK",
        (false, false) => OF_FILES,
    };
    text(letters(&resource.viewer.caller.scopes, of_writers))
}

/// The same of any file.
pub fn file_permissions(scopes: &Scopes) -> String {
    letters(scopes, OF_FILES)
}

fn letters(scopes: &Scopes, of_writers: &str) -> String {
    let read = if scopes.has(Scope::Read) { "G" } else { "" };
    let write = if scopes.has(Scope::Write) { of_writers } else { "" };
    format!("{read}{write}")
}

/// `ocs:share-permissions`, by bits: 1 read, 2 update, 4 create, 8 delete. Never 16, since nothing can be shared; a file
/// has neither create nor delete, as in Nextcloud.
pub fn share_permissions<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let (read, write) = access(resource);
    let changes = if resource.node.is_folder() { 2 + 4 + 8 } else { 2 };
    number(i64::from(read) + if write { changes } else { 0 })
}

/// `ocm:share-permissions`: the same as words.
pub fn ocm_share_permissions<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    text(match access(resource) {
        (true, true) => "[\"read\",\"write\"]",
        (true, false) => "[\"read\"]",
        (false, true) => "[\"write\"]",
        (false, false) => "[]",
    })
}

/// Whether the caller may read, and write.
fn access(resource: &Resource<'_>) -> (bool, bool) {
    let scopes = &resource.viewer.caller.scopes;
    (scopes.has(Scope::Read), scopes.has(Scope::Write))
}

/// `oc:checksums`: an element for each in Nextcloud; in ownCloud's spaces one for all, with spaces between them. Clients
/// read both.
pub fn checksums<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let content = resource.node.content.as_ref().filter(|content| !content.sha1.is_empty())?;
    let known = [Algorithm::Sha1, Algorithm::Md5, Algorithm::Adler32].map(|it| (it.name(), it.recorded(content)));
    let sums = known.into_iter().filter(|(_, sum)| !sum.is_empty()).map(|(name, sum)| format!("{name}:{sum}"));
    let sums = match resource.viewer.ids {
        Ids::Nextcloud => sums.collect(),
        Ids::Spaces => vec![sums.collect::<Vec<_>>().join(" ")],
    };
    xml(elements("checksum", sums.iter().map(String::as_str)))
}

/// `oc:favorite`
pub fn favorite<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    number(i64::from(resource.node.tags.iter().any(|tag| tag == FAVORITE)))
}

/// `oc:tags`
pub fn tags<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    xml(elements("tag", resource.node.tags.iter().map(String::as_str).filter(|tag| *tag != FAVORITE)))
}

/// `oc:audio`
pub fn audio<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let audio = resource.node.content.as_ref()?.media.as_ref()?.audio.as_ref()?;
    let known = [("artist", &audio.artist), ("album", &audio.album), ("title", &audio.title)];
    let known = known.into_iter().map(|(name, text)| elements(name, text.as_deref().into_iter()));
    xml(known.collect::<Vec<_>>().concat())
}

/// `oc:location`
pub fn location<'a>(resource: &Resource<'a>) -> Option<Value<'a>> {
    let place = resource.node.content.as_ref()?.media.as_ref()?.location?;
    let degrees = [("latitude", place.latitude), ("longitude", place.longitude)];
    xml(degrees.map(|(name, degrees)| elements(name, [format!("{degrees:.6}").as_str()].into_iter())).concat())
}

/// `<oc:name>text</oc:name>` for each text.
fn elements<'t>(name: &str, texts: impl Iterator<Item = &'t str>) -> String {
    let element = |text| format!("<oc:{name} xmlns:oc=\"{OWNCLOUD}\">{}</oc:{name}>", escape(text));
    texts.map(element).collect::<Vec<_>>().concat()
}
