//! Live properties that clients set, and what a value means: favourite, tags, times. Any other property is a dead one,
//! which is kept to the letter, or the server's own.

use super::live::{self, WINDOWS};
use super::property::Name;
use crate::date;
use crate::dav::xml::{DAV, Element, NEXTCLOUD, OWNCLOUD};
use crate::ports::Millis;
use crate::store::{FAVORITE, MetadataChange, PropertyChange};

/// The most tags that a file or folder may have, and the bytes of one.
const MOST_TAGS: usize = 64;
const LONGEST_TAG: usize = 256;

/// Why a property cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The server makes it: 403.
    Protected,
    /// The value makes no sense: 409.
    Malformed,
}

/// Adds to `change` that a property is set, or removed.
pub fn add(change: &mut MetadataChange, property: &Element, set: bool) -> Result<(), Refusal> {
    let value = property.text();
    match (property.namespace.as_str(), property.name.as_str()) {
        (OWNCLOUD, "favorite") => change.favorite = Some(set && is_favorite(&value)?),
        (OWNCLOUD, "tags") => change.tags = Some(if set { tags(property)? } else { Vec::new() }),
        (DAV, "getlastmodified" | "lastmodified") | (WINDOWS, "Win32LastModifiedTime") => {
            change.modified_at = Some(time(&value, set)?);
        }
        (DAV, "creationdate") | (NEXTCLOUD, "creation_time") | (WINDOWS, "Win32CreationTime") => {
            change.created_at = Some(time(&value, set)?);
        }
        (namespace, name) if live::find(Name { namespace, name }).is_some() => return Err(Refusal::Protected),
        (WINDOWS, "Win32LastAccessTime") if set && date::parse(&value).is_none() => return Err(Refusal::Malformed),
        (WINDOWS, "Win32FileAttributes") if set && !is_hexadecimal(&value) => return Err(Refusal::Malformed),
        (namespace, name) => change.properties.push(PropertyChange {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            value: set.then(|| property.inner_xml()),
            lang: property.lang().map(ToOwned::to_owned),
        }),
    }
    Ok(())
}

fn is_favorite(value: &str) -> Result<bool, Refusal> {
    match value {
        "1" | "true" => Ok(true),
        "0" | "false" | "" => Ok(false),
        _ => Err(Refusal::Malformed),
    }
}

/// The names in `<oc:tags><oc:tag>…</oc:tag>…</oc:tags>`.
fn tags(property: &Element) -> Result<Vec<String>, Refusal> {
    let tags: Vec<String> = property.elements().filter(|child| child.is(OWNCLOUD, "tag")).map(Element::text).collect();
    let is_tag = |tag: &String| !tag.is_empty() && tag.len() <= LONGEST_TAG && tag != FAVORITE;
    if property.elements().count() == tags.len() && tags.len() <= MOST_TAGS && tags.iter().all(is_tag) {
        Ok(tags)
    } else {
        Err(Refusal::Malformed)
    }
}

/// A time that is set; none can be removed.
fn time(value: &str, set: bool) -> Result<Millis, Refusal> {
    if set { date::parse(value).ok_or(Refusal::Malformed) } else { Err(Refusal::Protected) }
}

/// Windows' file attributes: 32 bits, like `00000020`.
fn is_hexadecimal(value: &str) -> bool {
    (1..=8).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dav::xml::parse;
    use proptest::prelude::*;

    fn set(xml: &str) -> Result<MetadataChange, Refusal> {
        let document = format!(
            "<p xmlns:d='DAV:' xmlns:oc='{OWNCLOUD}' xmlns:nc='{NEXTCLOUD}' xmlns:w='{WINDOWS}' xmlns:x='urn:x'>{xml}</p>"
        );
        let mut change = MetadataChange::default();
        for property in parse(document.as_bytes()).unwrap().elements() {
            add(&mut change, property, true)?;
        }
        Ok(change)
    }

    #[test]
    fn each_property_changes_its_own() {
        let change = set("<oc:favorite>1</oc:favorite><oc:tags><oc:tag>a&amp;b</oc:tag><oc:tag>c</oc:tag></oc:tags>\
             <d:lastmodified>7</d:lastmodified><nc:creation_time>5</nc:creation_time><x:p>v</x:p>\
             <w:Win32FileAttributes>00000020</w:Win32FileAttributes>")
        .unwrap();
        assert_eq!(change.favorite, Some(true));
        assert_eq!(change.tags, Some(vec!["a&b".to_owned(), "c".to_owned()]));
        assert_eq!((change.modified_at, change.created_at), (Some(7000), Some(5000)));
        let names: Vec<_> = change.properties.iter().map(|property| property.name.as_str()).collect();
        assert_eq!(names, ["p", "Win32FileAttributes"]);
    }

    #[test]
    fn what_the_server_makes_is_protected_and_nonsense_is_malformed() {
        for (xml, refusal) in [
            ("<d:getetag>x</d:getetag>", Refusal::Protected),
            ("<oc:size>1</oc:size>", Refusal::Protected),
            ("<oc:favorite>maybe</oc:favorite>", Refusal::Malformed),
            ("<oc:tags>text<x:tag/></oc:tags>", Refusal::Malformed),
            ("<oc:tags><oc:tag> </oc:tag></oc:tags>", Refusal::Malformed),
            ("<oc:tags><oc:tag>_$!&lt;Favorite>!$_</oc:tag></oc:tags>", Refusal::Malformed),
            ("<d:lastmodified>soon</d:lastmodified>", Refusal::Malformed),
            ("<d:creationdate/>", Refusal::Malformed),
            ("<w:Win32LastAccessTime>x</w:Win32LastAccessTime>", Refusal::Malformed),
            ("<w:Win32FileAttributes>0x20</w:Win32FileAttributes>", Refusal::Malformed),
        ] {
            assert_eq!(set(xml), Err(refusal), "{xml}");
        }
        let tags = "<oc:tag>a</oc:tag>".repeat(MOST_TAGS + 1);
        assert_eq!(set(&format!("<oc:tags>{tags}</oc:tags>")), Err(Refusal::Malformed));
    }

    proptest! {
        #[test]
        fn any_value_is_survived(value in "[ -;=?-~]{0,24}") {
            let value = value.replace('&', "&amp;");
            for name in ["oc:favorite", "oc:tags", "d:lastmodified", "d:creationdate", "w:Win32FileAttributes"] {
                let _ = set(&format!("<{name}>{value}</{name}>"));
            }
        }
    }
}
