//! A deployment in memory with one account, and requests to it.

use std::borrow::Cow;

use bytes::Bytes;
use edgedrive::App;
use edgedrive::body::Body;
use edgedrive::config::Config;
use edgedrive::ports::{Ports, Sql, Statement, StreamError, Value, read_at_most};
use edgedrive::runtime::native::Native;
use futures_util::FutureExt;
use http::{HeaderMap, Request, header};
use serde_json::{Value as Json, json};

const ADMIN_TOKEN: &str = "the token of the administrator";

/// What may differ between two deployments.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Bytes that the account may store; none for no limit.
    pub quota: Option<usize>,
    /// `VERSIONS_KEPT`
    pub versions_kept: usize,
    /// Whether what is deleted goes to the trash (`TRASH_DAYS`).
    pub trash: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { quota: None, versions_kept: 2, trash: true }
    }
}

/// A deployment with one account.
pub struct World {
    /// Its runtime, to be looked into.
    pub native: Native,
    app: App,
    token: String,
}

/// An answer that was read to its end.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or how it broke off.
    pub body: Result<Bytes, StreamError>,
}

impl World {
    /// A deployment whose ports pass through `wrap`.
    pub fn new(settings: Settings, wrap: impl FnOnce(&Native) -> Ports) -> Self {
        let native = Native::in_memory();
        let app = App::new(config(settings), wrap(&native));
        let mut world = Self { native, app, token: ADMIN_TOKEN.to_owned() };
        let account = world.post("/api/v1/admin/accounts", &json!({ "login": "me", "quota": settings.quota }));
        let tokens = format!("/api/v1/admin/accounts/{}/tokens", account["account"]["id"].as_str().unwrap());
        let token = world.post(&tokens, &json!({ "name": "model", "scopes": ["read", "write", "manage"] }));
        token["token"]["secret"].as_str().expect("the answer shows the token").clone_into(&mut world.token);
        let events = ["file.created", "file.updated", "file.deleted", "file.moved"];
        world.post("/api/v1/webhooks", &json!({ "url": "https://example.org/hook", "events": events }));
        world
    }

    /// The same deployment once more, as it is at present, whose ports pass through `wrap`.
    pub fn copy(&self, settings: Settings, wrap: impl FnOnce(&Native) -> Ports) -> Self {
        let native = self.native.copy();
        let app = App::new(config(settings), wrap(&native));
        Self { native, app, token: self.token.clone() }
    }

    fn post(&self, path: &str, body: &Json) -> Json {
        let answer = self.send(request("POST", path).body(Body::from(body.to_string())).unwrap());
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Sends a request, with the account's token unless it has another, and reads the answer to its end.
    pub async fn ask(&self, mut request: Request<Body>) -> Answer {
        // No two requests begin at the same time: a file whose first content is as old as the request is told of as new.
        self.native.clock.advance(1);
        let bearer = format!("Bearer {}", self.token);
        request.headers_mut().entry(header::AUTHORIZATION).or_insert_with(|| bearer.parse().unwrap());
        let (parts, mut body) = self.app.handle(request).await.into_parts();
        let body = read_at_most(&mut body, usize::MAX).await;
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// The same, where nothing waits.
    pub fn send(&self, request: Request<Body>) -> Answer {
        self.ask(request).now_or_never().expect("nothing waits in memory")
    }

    /// The answer to GET, which must be 200.
    pub fn get(&self, path: &str) -> Answer {
        let answer = self.send(request("GET", path).body(Body::empty()).unwrap());
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer
    }

    /// Has the digests of what came in pieces found out, as a runner would soon. Webhooks are told later.
    pub fn settle(&self) {
        let is_due = || !self.rows("SELECT id FROM jobs WHERE kind = 'digest'", []).is_empty();
        if is_due() {
            let never = [Value::Integer(1 << 52)];
            self.rows("UPDATE jobs SET due_at = ?1 WHERE kind = 'webhook' RETURNING id", never);
            self.app.run_jobs().now_or_never().expect("nothing waits in memory");
            assert!(!is_due(), "a digest was not found");
        }
    }

    /// What the operator's comparison of rows and blobs says.
    pub fn fsck(&self) -> Json {
        let ask = request("POST", "/api/v1/admin/fsck").header(header::AUTHORIZATION, format!("Bearer {ADMIN_TOKEN}"));
        let answer = self.send(ask.body(Body::from("{}".to_owned())).unwrap());
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The rows that a query of the database gives, as objects.
    pub fn rows(&self, sql: impl Into<Cow<'static, str>>, params: impl Into<Vec<Value>>) -> Vec<Json> {
        let batch = self.native.sql.batch(vec![Statement::write(sql, params)]).now_or_never().unwrap().unwrap();
        batch.results[0].parse().unwrap()
    }

    /// The number and entity tag of the node at a path.
    pub fn find(&self, path: &str) -> Option<(i64, String)> {
        let mut found = self.rows("SELECT id, etag FROM nodes WHERE root_of > 0", []).pop()?;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let parent = found["id"].as_i64()?;
            let sql = "SELECT id, etag FROM nodes WHERE parent_id = ?1 AND name = ?2";
            found = self.rows(sql, [parent.into(), name.into()]).pop()?;
        }
        Some((found["id"].as_i64()?, found["etag"].as_str()?.to_owned()))
    }
}

impl Answer {
    /// A header, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What it names that nobody could know: a lock token, the name of an upload, or a token's number and secret.
    pub fn given(&self) -> String {
        if let Ok(Json::Object(body)) = serde_json::from_slice(self.bytes())
            && let Some(token) = body.get("token")
        {
            let text = |field: &str| token[field].as_str().unwrap_or_default();
            return format!("{} {}", text("id"), text("secret"));
        }
        let upload = self.header("location").rsplit('/').next().filter(|name| !name.is_empty());
        upload.unwrap_or_else(|| self.header("lock-token").trim_matches(['<', '>'])).to_owned()
    }

    /// The body, which did not break off.
    pub fn bytes(&self) -> &Bytes {
        self.body.as_ref().expect("the body came whole")
    }

    /// The body as text.
    pub fn text(&self) -> String {
        self.body.as_ref().map_or_else(ToString::to_string, |body| String::from_utf8_lossy(body).into_owned())
    }

    /// The body as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_slice(self.bytes()).expect("the body is JSON")
    }

    /// Whether it says that the server failed. 507 is the client's doing.
    pub fn is_failure(&self) -> bool {
        self.status >= 500 && self.status != 507
    }
}

/// A request, to be completed.
pub fn request(method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(format!("http://drive.example{path}"))
}

fn config(settings: Settings) -> Config {
    let key = format!("k1:{}", data_encoding::BASE64.encode(&[7; 32]));
    let read = Config::read(|name| match name {
        "ENCRYPTION_KEYS" => Some(key.clone()),
        "ADMIN_TOKEN" => Some(ADMIN_TOKEN.to_owned()),
        "TRASH_DAYS" => Some(if settings.trash { "30" } else { "0" }.to_owned()),
        "VERSIONS_KEPT" => Some(settings.versions_kept.to_string()),
        _ => None,
    });
    read.expect("the settings are right")
}
