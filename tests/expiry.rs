//! What time does to tokens, on the native runtime, whose clock can be set.

use edgedrive::App;
use edgedrive::body::Body;
use edgedrive::config::Config;
use edgedrive::ports::read_at_most;
use edgedrive::runtime::native::Native;
use http::Request;
use serde_json::{Value, json};

const ADMIN_TOKEN: &str = "the token of the administrator";
const DAY: i64 = 86_400_000;

async fn call(app: &App, method: &str, path: &str, token: &str, body: &Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body.to_string()))
        .unwrap();
    let mut response = app.handle(request).await;
    let body = read_at_most(response.body_mut(), 1 << 20).await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn a_token_ends_in_time_and_so_do_those_that_it_made() {
    let native = Native::in_memory();
    let config = Config::read(|name| match name {
        "ENCRYPTION_KEYS" => Some(format!("k1:{}", data_encoding::BASE64.encode(&[7; 32]))),
        "ADMIN_TOKEN" => Some(ADMIN_TOKEN.to_owned()),
        _ => None,
    });
    let app = App::new(config.unwrap(), native.ports());
    let (_, made) = call(&app, "POST", "/api/v1/admin/accounts", ADMIN_TOKEN, &json!({ "login": "me" })).await;
    let tokens = format!("/api/v1/admin/accounts/{}/tokens", made["account"]["id"].as_str().unwrap());
    let wanted = json!({ "name": "short", "scopes": ["read", "manage"], "expiresInDays": 1 });
    let (status, first) = call(&app, "POST", &tokens, ADMIN_TOKEN, &wanted).await;
    assert_eq!(status, 201, "{first}");
    let secret = |answer: &Value| answer["token"]["secret"].as_str().unwrap().to_owned();
    let first = secret(&first);
    let mut all = vec![first.clone()];
    for asked in [
        json!({ "name": "no end", "scopes": ["read"] }),
        json!({ "name": "later", "scopes": ["read"], "expiresInDays": 9 }),
    ] {
        let (status, answer) = call(&app, "POST", "/api/v1/tokens", &first, &asked).await;
        assert_eq!(status, 201, "{answer}");
        all.push(secret(&answer));
    }

    native.clock.advance(DAY - 1);
    for token in &all {
        assert_eq!(call(&app, "GET", "/api/v1/me", token, &Value::Null).await.0, 200);
    }
    native.clock.advance(1);
    for token in &all {
        let (status, answer) = call(&app, "GET", "/api/v1/me", token, &Value::Null).await;
        assert_eq!((status, answer["code"].as_str()), (401, Some("UNAUTHORIZED")));
        assert_eq!(call(&app, "PROPFIND", "/dav/", token, &Value::Null).await.0, 401);
    }
}
