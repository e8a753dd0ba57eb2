//! Master keys: which of them are needed, by a count that forgets no column.

use std::collections::BTreeSet;

use edgedrive::App;
use edgedrive::body::Body;
use edgedrive::config::Config;
use edgedrive::ports::{Sql, Statement, read_at_most};
use edgedrive::runtime::native::Native;
use http::Request;
use serde_json::{Value, json};

const ADMIN_TOKEN: &str = "the token of the administrator";

fn app(native: &Native, ids: &[&str]) -> App {
    let keys: Vec<String> =
        ids.iter().map(|id| format!("{id}:{}", data_encoding::BASE64.encode(&[id.as_bytes()[1]; 32]))).collect();
    let config = Config::read(|name| match name {
        "ENCRYPTION_KEYS" => Some(keys.join(",")),
        "ADMIN_TOKEN" => Some(ADMIN_TOKEN.to_owned()),
        _ => None,
    });
    App::new(config.unwrap(), native.ports())
}

async fn call(app: &App, method: &str, path: &str, token: &str, body: String) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = request.header("authorization", format!("Bearer {token}")).body(Body::from(body)).unwrap();
    let mut response = app.handle(request).await;
    let body = read_at_most(response.body_mut(), 1 << 20).await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

/// An account with something sealed in every way that there is; the token's secret.
async fn seal_everything(app: &App) -> String {
    let account = json!({ "login": "me" }).to_string();
    assert_eq!(call(app, "POST", "/api/v1/admin/accounts", ADMIN_TOKEN, account).await.0, 201);
    let wanted = json!({ "name": "mine", "scopes": ["read", "write", "manage"] }).to_string();
    let made = call(app, "POST", "/api/v1/admin/accounts/1/tokens", ADMIN_TOKEN, wanted).await.1;
    let token = made["token"]["secret"].as_str().unwrap().to_owned();
    assert_eq!(call(app, "PUT", "/dav/file", &token, "1".to_owned()).await.0, 201);
    assert_eq!(call(app, "MKCOL", "/remote.php/dav/uploads/me/u", &token, String::new()).await.0, 201);
    assert_eq!(call(app, "PUT", "/remote.php/dav/uploads/me/u/1", &token, "1".to_owned()).await.0, 201);
    let hook = json!({ "url": "https://hooks.example.org/" }).to_string();
    assert_eq!(call(app, "POST", "/api/v1/webhooks", &token, hook).await.0, 201);
    let login = call(app, "POST", "/login/v2", "", String::new()).await.1;
    let page = login["login"].as_str().unwrap().replace("https://localhost", "");
    assert_eq!(call(app, "POST", &page, "", format!("login=me&token={token}")).await.0, 200);
    token
}

/// The columns of the schema in which something stands that is sealed under that key.
async fn sealed_columns(native: &Native, key: &str) -> BTreeSet<String> {
    let columns = "SELECT t.name || '.' || c.name AS \"column\", t.name AS \"table\", c.name AS name \
         FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'TEXT'";
    let batch = native.sql.batch(vec![Statement::read(columns, [])]).await.unwrap();
    let mut found = BTreeSet::new();
    for row in batch.results[0].parse::<Value>().unwrap() {
        let (table, name) = (row["table"].as_str().unwrap(), row["name"].as_str().unwrap());
        let sealed = format!("SELECT 1 AS one FROM {table} WHERE substr({name}, 1, 3) = '{key}:' LIMIT 1");
        if !native.sql.batch(vec![Statement::read(sealed, [])]).await.unwrap().results[0].is_empty() {
            found.insert(row["column"].as_str().unwrap().to_owned());
        }
    }
    found
}

async fn keys(app: &App) -> Vec<Value> {
    let (status, answer) = call(app, "GET", "/api/v1/admin/keys", ADMIN_TOKEN, String::new()).await;
    assert_eq!(status, 200, "{answer}");
    answer["keys"].as_array().unwrap().clone()
}

async fn warnings(app: &App) -> Vec<Value> {
    let ready = call(app, "GET", "/readyz", ADMIN_TOKEN, String::new()).await.1;
    ready["warnings"].as_array().unwrap().clone()
}

#[tokio::test]
async fn all_that_is_sealed_is_counted() {
    let native = Native::in_memory();
    let app = app(&native, &["k1"]);
    seal_everything(&app).await;
    let columns = sealed_columns(&native, "k1").await;
    assert!(columns.len() >= 4, "{columns:?}");
    let found = keys(&app).await;
    assert_eq!(found.len(), 1);
    let key = &found[0];
    assert_eq!((&key["id"], &key["configured"], &key["wraps"]), (&json!("k1"), &json!(true), &json!(true)));
    assert_eq!(key["needed"], 4);
    assert_eq!(key["places"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), columns);
}

#[tokio::test]
async fn a_key_that_is_needed_and_missing_is_warned_of_until_it_is_not_needed() {
    let native = Native::in_memory();
    let first = app(&native, &["k1"]);
    let token = seal_everything(&first).await;
    assert_eq!(warnings(&first).await, [Value::Null; 0]);
    let rotated = app(&native, &["k2", "k1"]);
    assert_eq!(call(&rotated, "PUT", "/dav/second", &token, "2".to_owned()).await.0, 201);
    let found = keys(&rotated).await;
    let of = |place: usize| (found[place]["id"].clone(), found[place]["wraps"].clone(), found[place]["needed"].clone());
    assert_eq!(of(0), (json!("k1"), json!(false), json!(4)));
    assert_eq!(of(1), (json!("k2"), json!(true), json!(1)));
    assert_eq!(warnings(&rotated).await, [Value::Null; 0]);

    let careless = app(&native, &["k2"]);
    let warned = warnings(&careless).await;
    assert_eq!(warned.len(), 1);
    assert!(warned[0].as_str().unwrap().contains("k1"), "{warned:?}");
    assert_eq!(keys(&careless).await[0]["configured"], false);
    assert_eq!(warnings(&careless).await.len(), 1, "it is needed");

    for table in ["parts", "chunks", "webhooks", "logins"] {
        let delete = format!("DELETE FROM {table}");
        native.sql.batch(vec![Statement::write(delete, [])]).await.unwrap();
    }
    let found = keys(&careless).await;
    assert_eq!((found.len(), &found[0]["id"], &found[0]["needed"]), (1, &json!("k2"), &json!(0)));
    assert_eq!(warnings(&careless).await, [Value::Null; 0]);
}
