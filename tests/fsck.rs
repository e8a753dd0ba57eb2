//! Database and object store held against each other, on the native runtime, whose object store can
//! be damaged and whose lists can be made to come late.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use edgedrive::App;
use edgedrive::body::Body;
use edgedrive::config::Config;
use edgedrive::ports::{BlobError, Blobs, ByteSource, MultipartUpload, Ports, Sql, Statement, read_at_most};
use edgedrive::runtime::native::{MemoryBlobs, Native};
use futures_util::FutureExt;
use http::Request;
use serde_json::{Value, json};

const ADMIN_TOKEN: &str = "the token of the administrator";
const GRACE: i64 = 3_600_000;

/// A deployment with one account.
struct World {
    native: Native,
    app: App,
    token: String,
}

impl World {
    fn new() -> Self {
        Self::on(Native::in_memory(), Native::ports)
    }

    fn on(native: Native, ports: impl FnOnce(&Native) -> Ports) -> Self {
        let config = Config::read(|name| match name {
            "ENCRYPTION_KEYS" => Some(format!("k1:{}", data_encoding::BASE64.encode(&[7; 32]))),
            "ADMIN_TOKEN" => Some(ADMIN_TOKEN.to_owned()),
            _ => None,
        });
        let app = App::new(config.unwrap(), ports(&native));
        let mut world = Self { native, app, token: String::new() };
        let (_, made) = world.admin("POST", "accounts", &json!({ "login": "me" }));
        let tokens = format!("accounts/{}/tokens", made["account"]["id"].as_str().unwrap());
        let (_, made) = world.admin("POST", &tokens, &json!({ "name": "t", "scopes": ["read", "write"] }));
        made["token"]["secret"].as_str().unwrap().clone_into(&mut world.token);
        world
    }

    fn send(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        let answered = async {
            let mut response = self.app.handle(request).await;
            let body = read_at_most(response.body_mut(), 1 << 24).await.unwrap_or_default();
            (response.status().as_u16(), body.to_vec())
        };
        answered.now_or_never().expect("nothing waits in memory")
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/admin/{path}"))
            .header("authorization", format!("Bearer {ADMIN_TOKEN}"))
            .body(Body::from(body.to_string()));
        let (status, body) = self.send(request.unwrap());
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn dav(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Vec<u8>) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/dav/{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(Bytes::copy_from_slice(body))).unwrap())
    }

    /// Stores a file, and gives the key of its blob.
    fn put(&self, path: &str, content: &[u8]) -> String {
        let before = self.native.blobs.keys();
        let (status, _) = self.dav("PUT", path, &[], content);
        assert!(status == 201 || status == 204, "PUT {path}: {status}");
        self.native.blobs.keys().into_iter().find(|key| !before.contains(key)).unwrap()
    }

    fn copy(&self, from: &str, to: &str) {
        assert_eq!(self.dav("COPY", from, &[("destination", &format!("/dav/{to}"))], b"").0, 201);
    }

    fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.dav("GET", path, &[], b"")
    }

    fn lose(&self, key: &str) {
        self.native.blobs.delete(&[key.to_owned()]).now_or_never().unwrap().unwrap();
    }

    fn check(&self, after: &str, repair: bool) -> Value {
        let (status, report) = self.admin("POST", "fsck", &json!({ "after": after, "repair": repair }));
        assert_eq!(status, 200, "{report}");
        report
    }

    /// All stretches: how many there are, the orphans and the losses.
    fn check_all(&self, repair: bool) -> (usize, Vec<Value>, Vec<Value>) {
        let (mut calls, mut orphans, mut losses, mut after) = (0, Vec::new(), Vec::new(), String::new());
        loop {
            let report = self.check(&after, repair);
            calls += 1;
            orphans.extend(report["orphans"].as_array().unwrap().iter().cloned());
            losses.extend(report["losses"].as_array().unwrap().iter().cloned());
            match report["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return (calls, orphans, losses),
            }
        }
    }

    fn assert_clean(&self) {
        let (_, orphans, losses) = self.check_all(false);
        assert!(orphans.is_empty() && losses.is_empty(), "{orphans:?} {losses:?}");
    }

    fn rows(&self, sql: &'static str) -> Vec<Value> {
        let batch = self.native.sql.batch(vec![Statement::write(sql, [])]).now_or_never().unwrap().unwrap();
        batch.results[0].parse().unwrap()
    }

    /// The totals of all folders, the used bytes, and that both are what a recount finds.
    fn assert_adds_up(&self) {
        let wrong = self.rows(
            "WITH RECURSIVE below(top, id) AS (SELECT id, id FROM nodes WHERE content_id IS NULL
               UNION ALL SELECT b.top, n.id FROM below b JOIN nodes n ON n.parent_id = b.id)
             SELECT t.name, t.size, t.files FROM below b JOIN nodes t ON t.id = b.top JOIN nodes n ON n.id = b.id
             GROUP BY t.id HAVING t.size <> sum(iif(n.content_id IS NULL, 0, n.size))
               OR t.files <> sum(n.content_id IS NOT NULL) OR t.folders <> sum(n.content_id IS NULL) - 1",
        );
        assert!(wrong.is_empty(), "{wrong:?}");
        let wrong = self.rows(
            "SELECT d.version_bytes FROM drives d
             WHERE d.version_bytes <> (SELECT coalesce(sum(size), 0) FROM versions WHERE account_id = d.account_id)",
        );
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    fn etag(&self, path: &str) -> String {
        let (_, body) = self.dav("PROPFIND", path, &[("depth", "0")], b"");
        let text = String::from_utf8(body).unwrap();
        text.split_once("getetag>").unwrap().1.split('<').next().unwrap().to_owned()
    }
}

#[test]
fn a_drive_in_order_has_neither_orphans_nor_losses() {
    let world = World::new();
    world.dav("MKCOL", "d", &[], b"");
    for content in ["one", "two", "three"] {
        world.put("d/f", content.as_bytes());
    }
    world.put("g", b"in the trash");
    world.copy("d", "e");
    world.dav("DELETE", "g", &[], b"");
    let report = world.check("", true);
    let expected = json!({ "blobs": 4, "parts": 4, "orphans": [], "losses": [], "repaired": 0, "next": null });
    assert_eq!(report, expected);
}

#[test]
fn only_the_administrator_may_ask_and_only_for_what_there_is() {
    let world = World::new();
    let request = Request::builder().method("POST").uri("/api/v1/admin/fsck").body(Body::empty());
    assert_eq!(world.send(request.unwrap()).0, 401);
    for body in [json!({ "repair": "yes" }), json!({ "fix": true })] {
        assert_eq!(world.admin("POST", "fsck", &body).0, 422);
    }
    assert_eq!(world.admin("GET", "fsck", &Value::Null).0, 405);
}

#[test]
fn an_orphan_becomes_garbage_and_goes_when_the_grace_is_over() {
    let world = World::new();
    let own = world.put("f", b"data");
    world.native.blobs.put_raw("1/orphan", "x");
    world.native.blobs.put_raw("foreign", "x");
    let found = json!([{ "key": "1/orphan" }, { "key": "foreign" }]);
    assert_eq!(world.check("", false)["orphans"], found);
    let report = world.check("", true);
    assert_eq!((&report["orphans"], &report["repaired"]), (&found, &json!(2)));
    world.assert_clean();

    for (wait, left) in [(GRACE - 1, 3), (1, 1)] {
        world.native.clock.advance(wait);
        world.app.sweep().now_or_never().unwrap();
        assert_eq!(world.native.blobs.keys().len(), left);
    }
    assert_eq!(world.native.blobs.keys(), [own]);
    assert_eq!(world.get("f"), (200, b"data".to_vec()));
}

#[test]
fn a_loss_is_named_with_its_files_and_versions() {
    let world = World::new();
    world.dav("MKCOL", "d", &[], b"");
    let blob = world.put("d/f", b"lost");
    world.copy("d/f", "g");
    world.copy("d/f", "h");
    world.put("h", b"another");
    world.lose(&blob);
    let report = world.check("", false);
    let [loss] = report["losses"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&loss["key"], &loss["fileCount"], &loss["versions"]), (&json!(blob), &json!(2), &json!(1)));
    let paths: Vec<_> = loss["files"].as_array().unwrap().iter().map(|file| &file["path"]).collect();
    assert_eq!(paths, ["/d/f", "/g"]);
    assert_eq!((&report["parts"], &report["blobs"], &report["repaired"]), (&json!(2), &json!(1), &json!(0)));
    assert_eq!(world.check("", false), report, "nothing was changed");
}

#[test]
fn a_file_gets_its_latest_whole_version_or_goes() {
    let world = World::new();
    world.dav("MKCOL", "d", &[], b"");
    let keys: Vec<_> = ["one", "twoo", "three", "fourfo"].map(|text| world.put("d/versions", text.as_bytes())).into();
    let single = world.put("d/single", b"no versions");
    world.put("d/whole", b"stays");
    world.copy("d/versions", "copy");
    for lost in [&keys[3], &keys[2], &keys[0], &single] {
        world.lose(lost);
    }
    let (etag, root) = (world.etag("d"), world.etag(""));
    // Whoever has locked it: its content is gone.
    let lock = b"<lockinfo xmlns='DAV:'><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>";
    assert_eq!(world.dav("LOCK", "d/versions", &[], lock).0, 200);
    // And however little it may hold.
    assert_eq!(world.admin("PATCH", "accounts/1", &json!({ "quota": 1 })).0, 200);

    let (_, orphans, losses) = world.check_all(true);
    assert_eq!((orphans.len(), losses.len()), (0, 4));
    let mut repairs: Vec<_> = losses
        .iter()
        .flat_map(|loss| loss["files"].as_array().unwrap())
        .map(|file| (file["path"].as_str().unwrap(), file["repair"].as_str().unwrap()))
        .collect();
    repairs.sort_unstable();
    assert_eq!(repairs, [("/copy", "deleted"), ("/d/single", "deleted"), ("/d/versions", "restored")]);
    assert!(losses.iter().all(|loss| loss["repaired"] == true), "{losses:?}");

    world.assert_clean();
    world.assert_adds_up();
    assert_eq!(world.get("d/versions"), (200, b"twoo".to_vec()));
    assert_eq!(world.get("d/single").0, 404);
    assert_eq!(world.get("copy").0, 404);
    assert_eq!(world.get("d/whole"), (200, b"stays".to_vec()));
    assert_ne!(world.etag("d"), etag);
    assert_ne!(world.etag(""), root);
    assert_eq!(world.rows("SELECT id FROM versions"), [Value::Null; 0]);
    assert_eq!(world.rows("SELECT used.size FROM nodes used WHERE root_of = 1 AND size = 9").len(), 1);
}

#[test]
fn a_version_that_is_lost_too_is_passed_over() {
    let world = World::new();
    // Ten times, since the keys are in any order.
    for number in 0..10 {
        let [_, lost, present] =
            ["whole", "lost", "present"].map(|text| world.put(&number.to_string(), text.as_bytes()));
        world.lose(&lost);
        world.lose(&present);
    }
    let (_, _, losses) = world.check_all(true);
    let files: Vec<_> = losses.iter().flat_map(|loss| loss["files"].as_array().unwrap()).collect();
    assert_eq!(files.len(), 10, "{files:?}");
    assert_eq!(world.get("0"), (200, b"whole".to_vec()));
    world.assert_clean();
    world.assert_adds_up();
}

#[test]
fn an_infected_version_is_not_restored() {
    let world = World::new();
    world.put("f", b"infected");
    let infected = Statement::write("UPDATE contents SET av = 'infected'", []);
    world.native.sql.batch(vec![infected]).now_or_never().unwrap().unwrap();
    let present = world.put("f", b"present");
    world.lose(&present);
    world.check_all(true);
    assert_eq!(world.get("f").0, 404);
    world.assert_clean();
    world.assert_adds_up();
}

#[test]
fn versions_that_are_lost_go_and_the_file_stays() {
    let world = World::new();
    let first = world.put("f", b"first");
    world.put("f", b"second");
    world.put("f", b"third");
    let etag = world.etag("f");
    world.lose(&first);
    let (_, _, losses) = world.check_all(true);
    assert_eq!((&losses[0]["files"], &losses[0]["versions"]), (&json!([]), &json!(1)));
    world.assert_clean();
    world.assert_adds_up();
    assert_eq!(world.rows("SELECT size FROM versions"), [json!({ "size": 6 })]);
    assert_eq!((world.get("f").1, world.etag("f")), (b"third".to_vec(), etag));
}

#[test]
fn webhooks_hear_of_what_is_mended() {
    let world = World::new();
    world.put("f", b"one");
    let [two, three] = [world.put("f", b"two"), world.put("g", b"three")];
    let hook = Statement::write(
        "INSERT INTO webhooks (account_id, url, secret, events, created_at) \
         VALUES (1, 'https://hook.example/', '', 'file.updated file.deleted', 0)",
        [],
    );
    world.native.sql.batch(vec![hook]).now_or_never().unwrap().unwrap();
    world.lose(&two);
    world.lose(&three);
    // A file is new as long as it was made at this very moment.
    world.native.clock.advance(1);
    world.check_all(true);
    let told = "SELECT payload ->> '$.event' AS event, payload ->> '$.file.name' AS name FROM jobs ORDER BY name";
    let expected = [json!({ "event": "file.updated", "name": "f" }), json!({ "event": "file.deleted", "name": "g" })];
    assert_eq!(world.rows(told), expected);
}

#[test]
fn what_is_many_comes_in_stretches() {
    let world = World::new();
    let blob = world.put("shared", b"by many");
    for copy in 0..120 {
        world.copy("shared", &format!("copy-{copy}"));
    }
    let lost: Vec<_> = (0..60).map(|number| world.put(&format!("lost-{number}"), b"x")).collect();
    let kept = world.put("kept", b"k");
    for key in lost.iter().chain([&blob]) {
        world.lose(key);
    }
    // Before and after them.
    for orphan in 0..1_000 {
        world.native.blobs.put_raw(&format!("1/-{orphan:03}"), "x");
        world.native.blobs.put_raw(&format!("1/x{orphan:03}"), "x");
    }
    let (calls, orphans, losses) = world.check_all(false);
    assert_eq!((calls, orphans.len(), losses.len()), (4, 2_000, 61));
    let shared = losses.iter().find(|loss| loss["key"] == json!(blob)).unwrap();
    assert_eq!((&shared["fileCount"], shared["files"].as_array().unwrap().len()), (&json!(121), 100));

    let (calls, orphans, losses) = world.check_all(true);
    assert_eq!(orphans.len(), 2_000);
    assert!(calls > 4, "{calls}");
    let deleted = losses.iter().flat_map(|loss| loss["files"].as_array().unwrap());
    assert_eq!(deleted.filter(|file| file["repair"] == "deleted").count(), 181);
    world.assert_clean();
    world.assert_adds_up();
    assert_eq!(world.get("kept").0, 200);
    assert!(world.native.blobs.keys().contains(&kept));
}

/// What happens right after a list is made.
type After = Rc<RefCell<VecDeque<Box<dyn Fn()>>>>;

/// Objects of a drive in use: between a list and the answer, things happen.
#[derive(Default)]
struct Busy {
    inner: MemoryBlobs,
    after: After,
    /// Begins keys that are missing in lists.
    unlisted: Option<&'static str>,
}

#[async_trait(?Send)]
impl Blobs for Busy {
    async fn put(&self, key: &str, length: u64, source: &mut dyn ByteSource) -> Result<(), BlobError> {
        self.inner.put(key, length, source).await
    }

    async fn create_multipart(&self, key: &str) -> Result<Box<dyn MultipartUpload>, BlobError> {
        self.inner.create_multipart(key).await
    }

    async fn get(&self, key: &str, range: Range<u64>) -> Result<Box<dyn ByteSource>, BlobError> {
        self.inner.get(key, range).await
    }

    async fn delete(&self, keys: &[String]) -> Result<(), BlobError> {
        self.inner.delete(keys).await
    }

    async fn list(&self, after: &str, limit: usize) -> Result<Vec<String>, BlobError> {
        let mut listed = self.inner.list(after, limit).await?;
        listed.retain(|key| self.unlisted.is_none_or(|prefix| !key.starts_with(prefix)));
        let happens = self.after.borrow_mut().pop_front();
        if let Some(happens) = happens {
            happens();
        }
        Ok(listed)
    }
}

#[test]
fn what_can_be_read_is_not_lost_whatever_the_list_says() {
    let world = World::on(Native::in_memory(), |native| Ports {
        blobs: Rc::new(Busy { inner: native.blobs.clone(), unlisted: Some("1/"), ..Busy::default() }),
        ..native.ports()
    });
    world.put("f", b"data");
    world.check_all(true);
    assert_eq!(world.get("f"), (200, b"data".to_vec()));
    world.assert_clean();
}

#[test]
fn what_others_do_meanwhile_is_not_found() {
    let after = After::default();
    let world = Rc::new(World::on(Native::in_memory(), |native| Ports {
        blobs: Rc::new(Busy { inner: native.blobs.clone(), after: after.clone(), ..Busy::default() }),
        ..native.ports()
    }));
    let lost = world.put("lost", b"really lost");
    world.lose(&lost);
    world.native.blobs.put_raw("1/orphan", "x");
    world.put("old", b"deleted and collected");
    world.dav("DELETE", "old", &[], b"");
    world.native.clock.advance(GRACE);
    let busy = |number: usize| {
        let world = world.clone();
        Box::new(move || {
            // An upload that the list does not show, and a blob that it shows and the collector takes.
            world.put(&format!("new-{number}"), b"just stored");
            world.native.clock.advance(GRACE);
            world.app.sweep().now_or_never().unwrap();
            world.dav("DELETE", &format!("new-{number}"), &[], b"");
            world.put(&format!("newer-{number}"), b"just stored");
        }) as Box<dyn Fn()>
    };
    for repair in [false, true] {
        after.borrow_mut().extend([busy(1), busy(2), busy(3)]);
        let report = world.check("", repair);
        assert!(after.borrow().len() <= 1, "it listed twice");
        after.borrow_mut().clear();
        assert_eq!(report["orphans"], json!([{ "key": "1/orphan" }]));
        let losses: Vec<_> = report["losses"].as_array().unwrap().iter().map(|loss| &loss["key"]).collect();
        assert_eq!(losses, [&json!(lost)]);
    }
    world.assert_clean();
    world.assert_adds_up();
}
