//! Listings that are larger than what a database gives at once, on the native runtime.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use edgedrive::App;
use edgedrive::body::Body;
use edgedrive::config::Config;
use edgedrive::ports::{Batch, Databases, Sql, SqlError, Statement, read_at_most};
use edgedrive::runtime::native::Native;
use http::Request;
use serde_json::{Value, json};

const ADMIN_TOKEN: &str = "the token of the administrator";

/// Files in the folder, and the bytes of the property of each: more in all than D1 gives.
const FILES: usize = 900;
const PROPERTY: usize = 60_000;

/// What D1 gives at once.
const MOST: usize = 50_000_000;

/// A database that notes the size of the largest answer.
#[derive(Clone)]
struct Measured {
    inner: Rc<dyn Sql>,
    largest: Rc<Cell<usize>>,
}

#[async_trait(?Send)]
impl Sql for Measured {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Batch, SqlError> {
        let batch = self.inner.batch(statements).await?;
        let size = batch.results.iter().map(|rows| rows.0.len()).sum();
        self.largest.set(self.largest.get().max(size));
        Ok(batch)
    }
}

impl Databases for Measured {
    fn shards(&self) -> Vec<Rc<dyn Sql>> {
        vec![self.directory()]
    }

    fn directory(&self) -> Rc<dyn Sql> {
        Rc::new(self.clone())
    }

    fn drive(&self, _account: i64) -> Rc<dyn Sql> {
        Rc::new(self.clone())
    }
}

async fn send(app: &App, request: http::request::Builder, token: &str, body: &str) -> (u16, String) {
    let request = request.header("host", "localhost").header("authorization", format!("Bearer {token}"));
    let mut response = app.handle(request.body(Body::from(body.to_owned())).unwrap()).await;
    let body = read_at_most(response.body_mut(), 1 << 30).await.unwrap();
    (response.status().as_u16(), String::from_utf8(body.into()).unwrap())
}

/// An app with an account, its token, and the size of the largest answer of its database.
async fn begin() -> (App, String, Rc<Cell<usize>>) {
    let config = Config::read(|name| match name {
        "ENCRYPTION_KEYS" => Some(format!("k1:{}", data_encoding::BASE64.encode(&[7; 32]))),
        "ADMIN_TOKEN" => Some(ADMIN_TOKEN.to_owned()),
        _ => None,
    });
    let mut ports = Native::in_memory().ports();
    let largest = Rc::new(Cell::new(0));
    let inner = ports.databases.directory();
    ports.databases = Rc::new(Measured { inner, largest: Rc::clone(&largest) });
    let app = App::new(config.unwrap(), ports);
    let post = |path: &str| Request::post(path).header("content-type", "application/json");
    let body = json!({ "login": "me" }).to_string();
    let (_, made) = send(&app, post("/api/v1/admin/accounts"), ADMIN_TOKEN, &body).await;
    let account: Value = serde_json::from_str(&made).unwrap();
    let tokens = format!("/api/v1/admin/accounts/{}/tokens", account["account"]["id"].as_str().unwrap());
    let body = json!({ "name": "t", "scopes": ["read", "write"] }).to_string();
    let (_, made) = send(&app, post(&tokens), ADMIN_TOKEN, &body).await;
    let token: Value = serde_json::from_str(&made).unwrap();
    (app, token["token"]["secret"].as_str().unwrap().to_owned(), largest)
}

#[tokio::test]
async fn a_folder_of_well_described_files_is_listed_in_pages() {
    let (app, token, largest) = begin().await;
    let dav = |method: &str, path: &str| Request::builder().method(method).uri(path.to_owned());
    assert_eq!(send(&app, dav("MKCOL", "/dav/d"), &token, "").await.0, 201);
    assert_eq!(send(&app, dav("PUT", "/dav/d/0"), &token, "x").await.0, 201);
    let text = "x".repeat(PROPERTY);
    let update = format!(
        "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><p xmlns='urn:x'>{text}</p></d:prop></d:set></d:propertyupdate>"
    );
    assert_eq!(send(&app, dav("PROPPATCH", "/dav/d/0"), &token, &update).await.0, 207);
    for number in 1..FILES {
        let copy = dav("COPY", "/dav/d/0").header("destination", format!("/dav/d/{number}"));
        assert_eq!(send(&app, copy, &token, "").await.0, 201);
    }
    largest.set(0);
    let (status, listing) = send(&app, dav("PROPFIND", "/dav/d").header("depth", "1"), &token, "").await;
    assert_eq!(status, 207);
    for number in 0..FILES {
        assert!(listing.contains(&format!("<d:href>/dav/d/{number}</d:href>")), "{number} is missing");
    }
    assert_eq!(listing.matches(&text).count(), FILES);
    assert!(largest.get() < MOST, "{} bytes at once", largest.get());
}
