//! The request that an operation becomes.

use bytes::Bytes;
use edgedrive::body::Body;
use http::Request;
use http::request::Builder;
use serde_json::json;

use crate::bearers::{Bearer, sign};
use crate::listing::NAMESPACE;
use crate::operation::{Condition, Data, Operation, Tokens};
use crate::tree::{Tree, name, parent};
use crate::world::{World, request};

/// An id that nothing has.
const NO_ID: i64 = 999_999_999;

/// A lock token that nothing has.
const NO_TOKEN: &str = "urn:uuid:00000000-0000-4000-8000-000000000000";

/// The most locks whose tokens are submitted: a header may speak of 16 resources.
const MOST_TOKENS: usize = 16;

impl Operation {
    /// The request, as a client makes it who knows all that the model and the world know. None for
    /// `Wait`, which is none.
    pub fn request(&self, tree: &Tree, world: &World) -> Option<Request<Body>> {
        let mut request = self.unsigned(tree, world)?;
        sign(&mut request, self.bearer(tree), tree);
        Some(request)
    }

    /// Who asks.
    pub fn bearer(&self, tree: &Tree) -> Bearer {
        match self {
            Self::Pieces { by, pieces } => pieces.bearer(*by, tree),
            Self::Token(token_use) => token_use.bearer(tree),
            _ => None,
        }
    }

    fn unsigned(&self, tree: &Tree, world: &World) -> Option<Request<Body>> {
        let none = Body::empty;
        Some(match self {
            Self::Put { path, data, sized, condition, tokens } => {
                let builder = condition.add(dav("PUT", path, tree, *tokens), path, world);
                complete(builder, data.body(*sized))
            }
            Self::Mkcol { path, tokens } => complete(dav("MKCOL", path, tree, *tokens), none()),
            Self::Delete { path, condition, tokens } => {
                complete(condition.add(dav("DELETE", path, tree, *tokens), path, world), none())
            }
            Self::Copy { from, to, overwrite, deep, tokens } => {
                let builder = dav("COPY", from, tree, *tokens).header("Depth", if *deep { "infinity" } else { "0" });
                complete(destination(builder, to, *overwrite), none())
            }
            Self::Move { from, to, overwrite, tokens } => {
                complete(destination(dav("MOVE", from, tree, *tokens), to, *overwrite), none())
            }
            Self::Proppatch { path, name, value, tokens } => {
                complete(dav("PROPPATCH", path, tree, *tokens), property_update(name, *value).into())
            }
            Self::Lock { path, exclusive, infinite, tokens } => {
                let builder =
                    dav("LOCK", path, tree, *tokens).header("Depth", if *infinite { "infinity" } else { "0" });
                complete(builder, lock_info(*exclusive).into())
            }
            Self::Refresh { path, nth } => {
                let (token, root) = nth_lock(tree, *nth);
                let builder = dav("LOCK", path.unwrap_or(&root), tree, Tokens::None);
                complete(builder.header("If", format!("(<{token}>)")), none())
            }
            Self::Unlock { path, nth } => {
                let (token, root) = nth_lock(tree, *nth);
                let builder = dav("UNLOCK", path.unwrap_or(&root), tree, Tokens::None);
                complete(builder.header("Lock-Token", format!("<{token}>")), none())
            }
            Self::Upload { path, data } => {
                let folder = id(parent(path).unwrap_or_default(), world);
                form(&format!("/api/v1/files?folderId={folder}"), name(path), *data)
            }
            Self::Rename { path, to } => rename(path, to, tree, world),
            Self::Remove { path } => complete(request("DELETE", &resource(path, tree, world)), none()),
            Self::Restore { path, nth } => {
                let (file, version) = (id(path, world), version(path, *nth, world));
                complete(request("POST", &format!("/api/v1/files/{file}/versions/{version}/restore")), none())
            }
            Self::Undelete { nth } => {
                complete(request("POST", &format!("/api/v1/trash/{}/restore", trashed(*nth, world))), none())
            }
            Self::Purge { nth } => {
                complete(request("DELETE", &format!("/api/v1/trash/{}", trashed(*nth, world))), none())
            }
            Self::Pieces { by, pieces } => pieces.request(pieces.bearer(*by, tree), tree, world),
            Self::Token(token_use) => token_use.request(tree, world),
            Self::Wait => return None,
        })
    }
}

/// Completes a request.
pub fn complete(builder: Builder, body: Body) -> Request<Body> {
    builder.body(body).expect("the request is well-formed")
}

fn dav(method: &str, path: &str, tree: &Tree, tokens: Tokens) -> Builder {
    let builder = request(method, &format!("/dav/{path}"));
    match tokens.header(tree) {
        Some(header) => builder.header("If", header),
        None => builder,
    }
}

fn destination(builder: Builder, to: &str, overwrite: bool) -> Builder {
    builder.header("Destination", format!("/dav/{to}")).header("Overwrite", if overwrite { "T" } else { "F" })
}

fn rename(path: &str, to: &str, tree: &Tree, world: &World) -> Request<Body> {
    let mut change = json!({ "name": name(to) });
    if parent(path) != parent(to) {
        // The root is `null`; its number would do as well.
        change["folderId"] = match parent(to) {
            Some("") => json!(null),
            folder => json!(id(folder.unwrap_or_default(), world).to_string()),
        };
    }
    complete(request("PATCH", &resource(path, tree, world)), change.to_string().into())
}

fn form(path: &str, name: &str, data: Data) -> Request<Body> {
    let mut body =
        format!("--limit\r\nContent-Disposition: form-data; name=file; filename={name}\r\n\r\n").into_bytes();
    body.extend(data.bytes());
    body.extend(b"\r\n--limit--\r\n");
    complete(
        request("POST", path).header("Content-Type", "multipart/form-data; boundary=limit"),
        Bytes::from(body).into(),
    )
}

fn property_update(name: &str, value: Option<u8>) -> String {
    let instruction = match value {
        Some(value) => format!("<set><prop><p:{name}>{value}</p:{name}></prop></set>"),
        None => format!("<remove><prop><p:{name}/></prop></remove>"),
    };
    format!("<propertyupdate xmlns=\"DAV:\" xmlns:p=\"{NAMESPACE}\">{instruction}</propertyupdate>")
}

fn lock_info(exclusive: bool) -> String {
    let scope = if exclusive { "exclusive" } else { "shared" };
    format!("<lockinfo xmlns=\"DAV:\"><lockscope><{scope}/></lockscope><locktype><write/></locktype></lockinfo>")
}

/// The URL of a file or folder in REST. What does not exist is a file that nobody knows.
fn resource(path: &str, tree: &Tree, world: &World) -> String {
    let kind = if tree.is_folder(path) { "folders" } else { "files" };
    format!("/api/v1/{kind}/{}", id(path, world))
}

/// The number of what is at a path; of nothing, one that nothing has.
pub fn id(path: &str, world: &World) -> i64 {
    world.find(path).map_or(NO_ID, |(id, _)| id)
}

fn version(path: &str, nth: usize, world: &World) -> i64 {
    let ids = world.rows("SELECT id FROM versions WHERE node_id = ?1 ORDER BY id", [id(path, world).into()]);
    ids.get(nth % ids.len().max(1)).and_then(|row| row["id"].as_i64()).unwrap_or(NO_ID)
}

fn trashed(nth: usize, world: &World) -> i64 {
    let ids = world.rows("SELECT node_id AS id FROM trashed ORDER BY deleted_at", []);
    ids.get(nth % ids.len().max(1)).and_then(|row| row["id"].as_i64()).unwrap_or(NO_ID)
}

/// The token of the `nth` lock and the path where it was taken; of none, a token that nothing has.
pub fn nth_lock(tree: &Tree, nth: usize) -> (String, String) {
    let locks = tree.locks();
    let lock = locks.get(nth % locks.len().max(1));
    lock.map_or((NO_TOKEN.to_owned(), String::new()), |(path, lock)| (lock.token.clone(), (*path).to_owned()))
}

impl Data {
    /// The body of a request, whose length is announced or not.
    pub fn body(self, sized: bool) -> Body {
        let body = Body::from(Bytes::from(self.bytes()));
        if sized { body } else { Body::stream(None, Box::new(body)) }
    }
}

impl Condition {
    fn add(self, builder: Builder, path: &str, world: &World) -> Builder {
        match self {
            Self::None => builder,
            Self::Current => {
                let etag = world.find(path).map_or("*".to_owned(), |(_, etag)| format!("\"{etag}\""));
                builder.header("If-Match", etag)
            }
            Self::Other => builder.header("If-Match", "\"other\""),
            Self::Vacant => builder.header("If-None-Match", "*"),
        }
    }
}

impl Tokens {
    /// The header; none where there is no lock.
    fn header(self, tree: &Tree) -> Option<String> {
        let locks = self.submitted(tree);
        if locks.is_empty() {
            return None;
        }
        let list = |(path, token): &(String, String)| match self {
            Self::Tagged => format!("</dav/{path}> (<{token}>)"),
            _ => format!("(<{token}>)"),
        };
        let mut lists: Vec<_> = locks.iter().map(list).collect();
        if self == Self::All {
            lists.push("(Not <DAV:no-lock>)".to_owned());
        }
        Some(lists.join(" "))
    }

    /// The paths and tokens of the locks that are submitted.
    pub fn submitted(self, tree: &Tree) -> Vec<(String, String)> {
        let all = tree.locks().into_iter().map(|(path, lock)| (path.to_owned(), lock.token.clone()));
        match self {
            Self::None => Vec::new(),
            Self::All | Self::Tagged => all.take(MOST_TOKENS).collect(),
            Self::Nth(nth) => all.cycle().nth(nth).into_iter().collect(),
        }
    }
}
