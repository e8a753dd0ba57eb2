//! The table of limits in docs/webdav.md that hold for a drive as a whole, by every method that can reach each: 507, and
//! nothing has happened. What takes away is always allowed.

use bytes::Bytes;
use edgedrive::body::Body;
use http::Request;
use serde_json::json;

use crate::world::{Settings, World, request};

const FILES: &str = "/remote.php/dav/files/me";
const UPLOADS: &str = "/remote.php/dav/uploads/me";
const LOCK: &str = "<d:lockinfo xmlns:d=\"DAV:\"><d:lockscope><d:shared/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>";
const PROPERTY: &str =
    "<d:propertyupdate xmlns:d=\"DAV:\"><d:set><d:prop><x xmlns=\"urn:x\">1</x></d:prop></d:set></d:propertyupdate>";
const TAG: &str = "<d:propertyupdate xmlns:d=\"DAV:\"><d:set><d:prop><favorite \
                   xmlns=\"http://owncloud.org/ns\">1</favorite></d:prop></d:set></d:propertyupdate>";
const BULK: &str = "--b\r\nX-File-Path: /bulk\r\nContent-Length: 1\r\nX-File-MD5: 9dd4e461268c8034f5c8564e155c67a6\r\n\r\nx\r\n--b--\r\n";
const FORM: &str = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"form\"\r\n\r\nx\r\n--b--\r\n";

/// A request of the walk.
struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: &'static str,
}

fn ask(method: &'static str, path: impl Into<String>, headers: &[(&'static str, &str)], body: &'static str) -> Ask {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Ask { method, path: path.into(), headers, body }
}

impl Ask {
    fn send(&self, world: &World) -> (u16, String) {
        let mut request: http::request::Builder = request(self.method, &self.path);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let request: Request<Body> = request
            .header("content-length", self.body.len())
            .body(Body::from(Bytes::from_static(self.body.as_bytes())))
            .unwrap();
        let answer = world.send(request);
        (answer.status, answer.text())
    }
}

/// A drive with something of everything, and what a request may go on with.
fn world() -> World {
    let world = World::new(Settings::default(), edgedrive::runtime::native::Native::ports);
    for (method, path, headers, body) in [
        ("PUT", "/dav/file", &[][..], "content"),
        ("PUT", "/dav/other", &[], "another"),
        ("MKCOL", "/dav/folder", &[], ""),
        ("PUT", "/dav/folder/in", &[], "within"),
        ("PUT", "/dav/trashed", &[], "gone"),
        ("DELETE", "/dav/trashed", &[], ""),
        ("PROPPATCH", "/dav/folder", &[], PROPERTY),
        ("MKCOL", "/remote.php/dav/uploads/me/begun", &[], ""),
        ("PUT", "/remote.php/dav/uploads/me/begun/1", &[], "chunk"),
    ] {
        let (status, text) = ask(method, path, headers, body).send(&world);
        assert!(status < 300, "{method} {path}: {status} {text}");
    }
    world
}

/// What makes a file or folder.
fn makers() -> Vec<Ask> {
    let form = ("content-type", "multipart/form-data; boundary=b");
    let bulk = ("content-type", "multipart/related; boundary=b");
    let tus = [("tus-resumable", "1.0.0"), ("upload-length", "1"), ("upload-metadata", "filename dHVz")];
    vec![
        ask("PUT", "/dav/new", &[], "x"),
        ask("PUT", "/dav/empty", &[], ""),
        ask("MKCOL", "/dav/made", &[], ""),
        ask("LOCK", "/dav/locked", &[], LOCK),
        ask("COPY", "/dav/file", &[("destination", "/dav/copy")], ""),
        ask("COPY", "/dav/folder", &[("destination", "/dav/copied")], ""),
        ask("PUT", format!("{FILES}/v1-chunking-1-1-0"), &[("oc-chunked", "1")], "x"),
        ask("MOVE", format!("{UPLOADS}/begun/.file"), &[("destination", &format!("{FILES}/linked"))], ""),
        ask("POST", "/api/v1/files", &[form], FORM),
        ask("POST", "/api/v1/folders", &[], r#"{"name": "rest"}"#),
        ask("POST", "/remote.php/dav/bulk", &[bulk], BULK),
        ask(
            "POST",
            "/api/v1/uploads",
            &[tus[0], tus[1], tus[2], ("content-type", "application/offset+octet-stream")],
            "x",
        ),
    ]
}

/// What takes away, or adds nothing to what is limited.
fn takers() -> Vec<Ask> {
    vec![
        ask("MOVE", "/dav/file", &[("destination", "/dav/moved")], ""),
        ask("PUT", "/dav/other", &[], "other"),
        ask("DELETE", "/dav/folder", &[], ""),
        ask("DELETE", format!("{UPLOADS}/begun"), &[], ""),
        ask("DELETE", "/api/v1/trash", &[], ""),
    ]
}

fn walk(fill: &'static str, refused: &[Ask], allowed: &[Ask]) {
    for ask in refused {
        let world = world();
        world.rows(fill, []);
        let before = tree(&world);
        let (status, text) = ask.send(&world);
        // A bulk upload answers for each of its files.
        let is_refused = status == 507 || (status == 200 && text.contains("\"error\":true"));
        assert!(is_refused, "{} {}: {status} {text}", ask.method, ask.path);
        assert_eq!(tree(&world), before, "{} {} changed something", ask.method, ask.path);
    }
    let world = world();
    world.rows(fill, []);
    for ask in allowed {
        let (status, text) = ask.send(&world);
        assert!(status < 300, "{} {}: {status} {text}", ask.method, ask.path);
    }
}

/// What is in the drive. A chunk that has come may stay, so that its client can go on.
fn tree(world: &World) -> String {
    let rows = |sql| json!(world.rows(sql, [])).to_string();
    rows("SELECT id, parent_id, name, content_id, etag FROM nodes ORDER BY id")
        + &rows("SELECT * FROM properties")
        + &rows("SELECT * FROM tags")
        + &rows("SELECT token FROM locks")
}

#[test]
fn a_drive_holds_so_many_files_and_folders() {
    walk(
        "UPDATE nodes SET files = 999998 - folders - (SELECT folders + files FROM nodes WHERE root_of < 0) + 2 WHERE root_of > 0",
        &makers(),
        &takers(),
    );
}

#[test]
fn a_drive_holds_so_many_properties() {
    let refused = [
        ask("PROPPATCH", "/dav/file", &[], PROPERTY),
        ask("PROPPATCH", "/dav/file", &[], TAG),
        ask("COPY", "/dav/folder", &[("destination", "/dav/copied")], ""),
    ];
    walk("UPDATE drives SET property_bytes = 64 << 20 WHERE account_id > 0", &refused, &takers());
}

#[test]
fn a_drive_holds_so_many_locks() {
    let refused = [
        ask("LOCK", "/dav/file", &[], LOCK),
        ask("LOCK", "/dav/folder", &[], LOCK),
        ask("LOCK", "/dav/new", &[], LOCK),
    ];
    walk("UPDATE drives SET locks = 2000 WHERE account_id > 0", &refused, &takers());
}

#[test]
fn a_drive_holds_so_many_uploads() {
    let tus = [("tus-resumable", "1.0.0"), ("upload-length", "1"), ("upload-metadata", "filename dHVz")];
    let refused = [
        ask("MKCOL", format!("{UPLOADS}/another"), &[], ""),
        ask("PUT", format!("{FILES}/v1-chunking-1-2-0"), &[("oc-chunked", "1")], "x"),
        ask("POST", "/api/v1/uploads", &tus, ""),
        ask("POST", "/dav/", &tus, ""),
    ];
    walk("UPDATE drives SET uploads = 10000 WHERE account_id > 0", &refused, &takers());
}

#[test]
fn an_upload_holds_so_many_pieces() {
    let refused = [ask("PUT", format!("{UPLOADS}/begun/2"), &[], "x")];
    walk("UPDATE uploads SET pieces = 10000", &refused, &[]);
}

#[test]
fn a_quota_is_held_against_every_way() {
    let mut refused = makers();
    refused.retain(|ask| !["MKCOL", "LOCK"].contains(&ask.method) && !ask.path.ends_with("/empty"));
    refused.retain(|ask| ask.path != "/api/v1/folders" && ask.method != "MOVE");
    refused.push(ask("PUT", format!("{UPLOADS}/begun/2"), &[], "x"));
    for ask in &refused {
        let world = world();
        world.rows("UPDATE drives SET quota = 0 WHERE account_id > 0", []);
        let before = tree(&world);
        let (status, text) = ask.send(&world);
        let is_refused = [413, 507].contains(&status) || (status == 200 && text.contains("\"error\":true"));
        assert!(is_refused, "{} {}: {status} {text}", ask.method, ask.path);
        assert_eq!(tree(&world), before, "{} {} changed something", ask.method, ask.path);
    }
}
