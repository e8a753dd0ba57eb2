//! A deployment on the native runtime, with a clock that can be set and an internet of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use bytes::Bytes;
use edgedrive::App;
use edgedrive::body::Body;
use edgedrive::config::Config;
use edgedrive::jobs::Summary;
use edgedrive::ports::{ByteSource, Chunks, Http, HttpError, Payload, Ports, Sql, Statement, read_at_most};
use edgedrive::runtime::native::Native;
use http::{Request, Response, header};
use serde_json::{Value as Json, json};

pub const ADMIN_TOKEN: &str = "the token of the administrator";
const KEY: &str = "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
pub const HOUR: i64 = 3_600_000;

/// All other servers: a receiver of webhooks, and a scanner behind HTTP.
#[derive(Default)]
pub struct Internet {
    /// What the receiver was told.
    told: RefCell<Vec<Json>>,
    /// Names of files whose events it refuses; `*` for all.
    pub refused: RefCell<Vec<&'static str>>,
    pub scanner: Cell<Scanner>,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub enum Scanner {
    /// It finds what is called a virus.
    #[default]
    Works,
    Fails,
    Away,
}

impl Internet {
    fn receive(&self, message: Json) -> u16 {
        let name = message["file"]["name"].as_str().unwrap_or_default().to_owned();
        self.told.borrow_mut().push(message);
        let refused = self.refused.borrow().iter().any(|refused| *refused == "*" || *refused == name);
        if refused { 500 } else { 200 }
    }

    /// What it was told since the last time: event, name of the file, state.
    pub fn told(&self) -> Vec<String> {
        let line = |message: Json| {
            let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
            let file = &message["file"];
            let told = [&message["event"], &file["name"], &file["avStatus"], &message["signature"]].map(text);
            told.join(" ").trim().to_owned()
        };
        self.told.take().into_iter().map(line).collect()
    }
}

#[async_trait(?Send)]
impl Http for Internet {
    async fn send(&self, request: Request<Payload<'_>>) -> Result<Response<Box<dyn ByteSource>>, HttpError> {
        let (parts, payload) = request.into_parts();
        let payload = match payload {
            Payload::Bytes(bytes) => bytes,
            Payload::Stream(_, source) => read_at_most(source, usize::MAX).await?,
        };
        let (status, body) = match (parts.uri.host().unwrap(), self.scanner.get()) {
            ("hooks.example.org" | "127.0.0.1", _) => {
                (self.receive(serde_json::from_slice(&payload).unwrap()), "noted")
            }
            ("scanner.example", Scanner::Away) => return Err(HttpError::Failed("connection refused".to_owned())),
            ("scanner.example", Scanner::Fails) => (500, ""),
            ("scanner.example", Scanner::Works) if payload.ends_with(b"virus") => {
                (200, r#"{"infected": true, "signature": "Test"}"#)
            }
            ("scanner.example", Scanner::Works) => (200, r#"{"infected": false}"#),
            (host, _) => panic!("nobody should ask {host}"),
        };
        let body = Box::new(Chunks::new([Bytes::from_static(body.as_bytes())])) as Box<dyn ByteSource>;
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

/// A deployment with one account.
pub struct World {
    pub native: Native,
    pub internet: Rc<Internet>,
    pub app: App,
    pub token: String,
}

impl World {
    pub async fn new(settings: &[(&str, &str)]) -> Self {
        let native = Native::in_memory();
        let internet = Rc::new(Internet::default());
        let app = app(settings, &native, &internet);
        let mut world = Self { native, internet, app, token: ADMIN_TOKEN.to_owned() };
        world.token = world.account("me").await;
        world
    }

    /// The token of a new account.
    async fn account(&self, login: &str) -> String {
        let account = self.ask("POST", "/api/v1/admin/accounts", &json!({ "login": login })).await.1;
        let tokens = format!("/api/v1/admin/accounts/{}/tokens", account["account"]["id"].as_str().unwrap());
        let scopes = json!({ "name": "test", "scopes": ["read", "write", "manage"] });
        let token = self.ask("POST", &tokens, &scopes).await.1;
        token["token"]["secret"].as_str().unwrap().to_owned()
    }

    /// Another account of the same deployment.
    pub async fn neighbour(&self) -> Self {
        let (ports, internet) = (self.native.ports(), self.internet.clone());
        let token = self.account("neighbour").await;
        let native =
            Native { sql: self.native.sql.clone(), blobs: self.native.blobs.clone(), clock: self.native.clock.clone() };
        let app = self.with_ports(ports, &[]);
        Self { native, internet, app, token }
    }

    /// The program with other ports.
    pub fn with_ports(&self, ports: Ports, settings: &[(&str, &str)]) -> App {
        App::new(config(settings), Ports { http: self.internet.clone(), ..ports })
    }

    /// With one webhook, which is told of all that happens to files.
    pub async fn with_webhook(settings: &[(&str, &str)]) -> Self {
        let world = Self::new(settings).await;
        let events = ["file.created", "file.updated", "file.deleted", "file.moved", "file.infected"];
        let hook = json!({ "url": "https://hooks.example.org/hook", "events": events });
        assert_eq!(world.ask("POST", "/api/v1/webhooks", &hook).await.0, 201);
        world
    }

    /// The same deployment with other settings.
    pub fn restarted(self, settings: &[(&str, &str)]) -> Self {
        Self { app: app(settings, &self.native, &self.internet), ..self }
    }

    pub async fn ask(&self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let (status, answer) = self.send(method, path, body).await;
        (status, serde_json::from_slice(&answer).unwrap_or_default())
    }

    pub async fn send(&self, method: &str, path: &str, body: Body) -> (u16, Bytes) {
        let is_admin = path.contains("/admin/") || path.starts_with("/internal/") || path == "/readyz";
        let token = if is_admin { ADMIN_TOKEN } else { &self.token };
        let request =
            Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let (parts, mut body) = self.app.handle(request.body(body).unwrap()).await.into_parts();
        (parts.status.as_u16(), read_at_most(&mut body, usize::MAX).await.unwrap_or_default())
    }

    pub async fn transfer(&self, method: &str, from: &str, to: &str) -> u16 {
        let request = Request::builder().method(method).uri(from).header("destination", to);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        self.app.handle(request.body(Body::empty()).unwrap()).await.status().as_u16()
    }

    pub async fn put(&self, name: &str, content: &str) -> u16 {
        self.send("PUT", &format!("/dav/{name}"), Body::from(content.to_owned())).await.0
    }

    pub async fn get(&self, name: &str) -> u16 {
        self.send("GET", &format!("/dav/{name}"), Body::empty()).await.0
    }

    /// Runs the jobs whenever one is due, until so much time has passed or nothing is left.
    pub async fn pass(&self, milliseconds: i64) -> Summary {
        use edgedrive::ports::Clock;
        let end = self.native.clock.now() + milliseconds;
        let mut total = Summary::default();
        loop {
            let run = self.app.run_jobs().await;
            (total.done, total.failed) = (total.done + run.done, total.failed + run.failed);
            let pause = run.again_in.map(|pause| i64::try_from(pause.as_millis()).unwrap().max(1));
            match pause.filter(|pause| self.native.clock.now() + pause <= end) {
                Some(pause) => self.native.clock.advance(pause),
                None => break,
            }
        }
        self.native.clock.set(end.max(self.native.clock.now()));
        total
    }

    pub async fn jobs(&self, state: &str) -> Vec<Json> {
        let jobs = self.ask("GET", &format!("/api/v1/admin/jobs?state={state}"), &Json::Null).await.1;
        jobs["jobs"].as_array().unwrap().clone()
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        self.rows(&format!("SELECT count(*) AS n FROM {table}")).await[0]["n"].as_i64().unwrap()
    }

    /// Each folder's totals are those of what is below it.
    pub async fn check_totals(&self) {
        let wrong = "WITH RECURSIVE below(top, id) AS (SELECT id, id FROM nodes WHERE content_id IS NULL \
               UNION ALL SELECT b.top, n.id FROM below b JOIN nodes n ON n.parent_id = b.id) \
             SELECT t.id FROM below b JOIN nodes t ON t.id = b.top JOIN nodes n ON n.id = b.id GROUP BY t.id \
             HAVING t.size <> sum(iif(n.content_id IS NULL, 0, n.size)) OR t.files <> sum(n.content_id IS NOT NULL) \
               OR t.folders <> sum(n.content_id IS NULL) - 1";
        assert_eq!(self.rows(wrong).await, [Json::Null; 0]);
    }

    /// Folders within folders, so many, past the program.
    pub async fn make_chain(&self, depth: i64) {
        let chain = format!(
            "INSERT INTO nodes (id, parent_id, name, etag, created_at, modified_at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {depth}) \
             SELECT 1000 + i, CASE WHEN i = 1 THEN (SELECT id FROM nodes WHERE root_of = 1) ELSE 999 + i END, \
               'f', 'e' || i, 0, 0 FROM n"
        );
        let totals = format!("UPDATE nodes SET folders = {depth} WHERE root_of = 1");
        for statement in [chain, totals] {
            self.native.sql.batch(vec![Statement::write(statement, [])]).await.unwrap();
        }
    }

    async fn rows(&self, sql: &str) -> Vec<Json> {
        let batch = self.native.sql.batch(vec![Statement::read(sql.to_owned(), [])]).await.unwrap();
        batch.results[0].parse().unwrap()
    }

    pub async fn webhook(&self) -> Json {
        self.ask("GET", "/api/v1/webhooks", &Json::Null).await.1["webhooks"][0].clone()
    }
}

fn app(settings: &[(&str, &str)], native: &Native, internet: &Rc<Internet>) -> App {
    App::new(config(settings), Ports { http: internet.clone(), ..native.ports() })
}

fn config(settings: &[(&str, &str)]) -> Config {
    let given = [&[("ENCRYPTION_KEYS", KEY), ("ADMIN_TOKEN", ADMIN_TOKEN)], settings].concat();
    let value = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
    Config::read(value).unwrap()
}

pub const SCANNER: (&str, &str) = ("SCANNER", "https://scanner.example/");
pub const BY_JOB: (&str, &str) = ("SCAN_INLINE_MAX", "0");
