//! What a client sees of a drive: by PROPFIND, by GET, and of versions by REST.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use edgedrive::body::Body;
use edgedrive::dav::xml::{DAV, Element, parse};
use edgedrive::runtime::native::Native;

use crate::world::{Settings, World, request};

/// The namespace of the properties that are set.
pub const NAMESPACE: &str = "urn:model";

/// A file or folder, as PROPFIND shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Bytes; none for a folder.
    pub length: Option<usize>,
    /// The dead properties.
    pub properties: BTreeMap<String, String>,
    /// The locks that hold for it, sorted.
    pub locks: Vec<Held>,
}

/// A lock in `lockdiscovery`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The path where it was taken.
    pub root: String,
    pub token: String,
    pub exclusive: bool,
    pub infinite: bool,
}

/// The bytes of a file and of its versions, the latest first.
#[derive(Clone, PartialEq, Eq)]
pub struct Contents {
    pub present: Vec<u8>,
    pub versions: Vec<Vec<u8>>,
}

impl fmt::Debug for Contents {
    /// Files of the model repeat one byte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [&self.present].into_iter().chain(&self.versions);
        f.debug_list().entries(all.map(|bytes| format!("{} × {:?}", bytes.len(), bytes.first()))).finish()
    }
}

/// Everything that PROPFIND shows, by path.
#[derive(Debug)]
pub struct Listing {
    pub entries: BTreeMap<String, Entry>,
    /// With the quotes.
    pub etags: BTreeMap<String, String>,
}

/// Lists the whole drive.
pub fn list(world: &World) -> Listing {
    let answer = world.send(request("PROPFIND", "/dav/").header("Depth", "infinity").body(Body::empty()).unwrap());
    assert_eq!(answer.status, 207, "{}", answer.text());
    let document = parse(answer.bytes()).expect("the answer is XML");
    let mut listing = Listing { entries: BTreeMap::new(), etags: BTreeMap::new() };
    for response in document.elements() {
        let path = path_of(&child(response, "href").text());
        let prop = child(child(response, "propstat"), "prop");
        assert!(!listing.etags.contains_key(&path), "{path:?} is listed twice");
        listing.etags.insert(path.clone(), child(prop, "getetag").text());
        listing.entries.insert(path, entry(prop));
    }
    listing
}

fn entry(prop: &Element) -> Entry {
    let folder = child(prop, "resourcetype").child(DAV, "collection").is_some();
    let length = prop.child(DAV, "getcontentlength").map(|length| length.text().parse().expect("it is a number"));
    assert_eq!(folder, length.is_none(), "a folder has no length");
    let dead = prop.elements().filter(|property| property.namespace == NAMESPACE);
    let mut locks: Vec<_> = child(prop, "lockdiscovery").elements().map(held).collect();
    locks.sort();
    Entry { length, properties: dead.map(|property| (property.name.clone(), property.text())).collect(), locks }
}

fn held(active: &Element) -> Held {
    let href = |name| child(child(active, name), "href").text();
    Held {
        root: path_of(&href("lockroot")),
        token: href("locktoken"),
        exclusive: child(active, "lockscope").child(DAV, "exclusive").is_some(),
        infinite: child(active, "depth").text() == "infinity",
    }
}

fn child<'a>(element: &'a Element, name: &str) -> &'a Element {
    element.child(DAV, name).unwrap_or_else(|| panic!("{} has no {name}", element.name))
}

fn path_of(href: &str) -> String {
    // What is put back beside something of its name is the only thing whose name holds spaces.
    href.strip_prefix("/dav").expect("the href is in the mount").trim_matches('/').replace("%20", " ")
}

/// Reads all files, and all their versions.
pub fn read(world: &World) -> BTreeMap<String, Contents> {
    let files = list(world).entries.into_iter().filter(|(_, entry)| entry.length.is_some());
    files
        .map(|(path, _)| {
            let contents = contents(world, &path);
            (path, contents)
        })
        .collect()
}

fn contents(world: &World, path: &str) -> Contents {
    let present = world.get(&format!("/dav/{}", path.replace(' ', "%20"))).bytes().to_vec();
    let (id, _) = world.find(path).expect("it was listed");
    let versions = world.get(&format!("/api/v1/files/{id}/versions")).json();
    let version = |version: &serde_json::Value| {
        let version = version["id"].as_str().unwrap();
        world.get(&format!("/api/v1/files/{id}/versions/{version}/download")).bytes().to_vec()
    };
    Contents { present, versions: versions["versions"].as_array().unwrap().iter().map(version).collect() }
}

#[test]
fn a_folder_of_many_members_is_listed_whole() {
    const MEMBERS: usize = 20_000;
    let world = World::new(Settings::default(), Native::ports);
    let (root, _) = world.find("").unwrap();
    world.rows(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2) \
         INSERT INTO nodes (parent_id, name, etag, created_at, modified_at) SELECT ?1, 'm' || i, 'e' || i, 0, 0 FROM n \
         RETURNING id",
        [root.into(), i64::try_from(MEMBERS).unwrap().into()],
    );
    let answer = world.send(request("PROPFIND", "/dav/").header("Depth", "1").body(Body::empty()).unwrap());
    // Longer than any XML that the parser takes.
    let text = answer.text();
    let hrefs: Vec<_> = text.split("<d:href>").skip(1).filter_map(|rest| rest.split('<').next()).collect();
    let different: BTreeSet<_> = hrefs.iter().collect();
    assert_eq!((answer.status, hrefs.len(), different.len()), (207, MEMBERS + 1, MEMBERS + 1));
    assert!(text.ends_with("</d:multistatus>"));
    assert!(world.get("/dav/").text().contains("There is more"));
}
