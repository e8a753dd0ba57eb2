//! What time does to tokens and logins, on the native runtime, whose clock can be set.

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
    send(app, method, path, token, body.to_string()).await
}

async fn send(app: &App, method: &str, path: &str, token: &str, body: String) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body))
        .unwrap();
    let mut response = app.handle(request).await;
    let body = read_at_most(response.body_mut(), 1 << 20).await.unwrap();
    (response.status().as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

fn app(native: &Native) -> App {
    let config = Config::read(|name| match name {
        "ENCRYPTION_KEYS" => Some(format!("k1:{}", data_encoding::BASE64.encode(&[7; 32]))),
        "ADMIN_TOKEN" => Some(ADMIN_TOKEN.to_owned()),
        _ => None,
    });
    App::new(config.unwrap(), native.ports())
}

#[tokio::test]
async fn a_token_ends_in_time_and_so_do_those_that_it_made() {
    let native = Native::in_memory();
    let app = app(&native);
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

/// A login that has begun: the secret of the client, and the path of the page.
async fn begin_login(app: &App) -> (String, String) {
    let (status, login) = call(app, "POST", "/index.php/login/v2", "", &Value::Null).await;
    assert_eq!(status, 200, "{login}");
    let page = login["login"].as_str().unwrap().replace("https://localhost", "");
    (login["poll"]["token"].as_str().unwrap().to_owned(), page)
}

#[tokio::test]
async fn a_login_is_over_after_twenty_minutes() {
    const MINUTE: i64 = 60_000;
    let native = Native::in_memory();
    let app = app(&native);
    let (_, made) = call(&app, "POST", "/api/v1/admin/accounts", ADMIN_TOKEN, &json!({ "login": "me" })).await;
    let tokens = format!("/api/v1/admin/accounts/{}/tokens", made["account"]["id"].as_str().unwrap());
    let wanted = json!({ "name": "mine", "scopes": ["read", "write", "manage"] });
    let (_, mine) = call(&app, "POST", &tokens, ADMIN_TOKEN, &wanted).await;
    let form = format!("login=me&token={}", mine["token"]["secret"].as_str().unwrap());
    let poll = async |secret: &str| send(&app, "POST", "/login/v2/poll", "", format!("token={secret}")).await.0;
    let grant = async |page: &str| send(&app, "POST", page, "", form.clone()).await.0;

    let (in_time, page_in_time) = begin_login(&app).await;
    let (granted_in_time, page_granted_in_time) = begin_login(&app).await;
    let (too_late, page_too_late) = begin_login(&app).await;
    native.clock.advance(20 * MINUTE - 1);
    assert_eq!(grant(&page_in_time).await, 200);
    assert_eq!(grant(&page_granted_in_time).await, 200);
    assert_eq!(poll(&in_time).await, 200);
    native.clock.advance(1);
    assert_eq!(poll(&granted_in_time).await, 404);
    assert_eq!(grant(&page_too_late).await, 404);
    assert_eq!(poll(&too_late).await, 404);
    app.sweep().await;
    assert_eq!(poll(&granted_in_time).await, 404);
}

#[tokio::test]
async fn strangers_end_no_login_that_is_under_way() {
    let native = Native::in_memory();
    let app = app(&native);
    let (_, first) = begin_login(&app).await;
    for _ in 0..9_999 {
        begin_login(&app).await;
    }
    let request = Request::builder().method("POST").uri("/login/v2").header("host", "localhost");
    let refused = app.handle(request.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(call(&app, "GET", &first, "", &Value::Null).await.0, 200);
    native.clock.advance(20 * 60_000);
    begin_login(&app).await;
}
