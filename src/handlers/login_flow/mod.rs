//! Nextcloud's login flow, by which a client gets a token of its own: it opens a page in the browser, where a person logs in
//! with a token, and never sees that one.
//!
//! Version 2 has the client ask until the token is granted; version 1, of mobile clients, leads the browser to a URL that the
//! client intercepts. Both are at `/login/…` and `/index.php/login/…`.

mod grant;
mod page;

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use self::grant::{Approval, Granted};
use super::{client_name, json};
use crate::auth::hash_token;
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::ports::{ByteSource, read_at_most};
use crate::store::Logins;

/// The longest form, in bytes.
const LONGEST_FORM: usize = 8 * 1024;

/// Answers a request below `/login/`.
pub async fn answer(cx: &Context<'_>, path: &[&str], body: Body) -> Result<Response<Body>> {
    match (cx.method.as_str(), path) {
        ("POST", ["v2"]) => begin(cx).await,
        ("POST", ["v2", "poll"]) => poll(cx, body).await,
        ("GET" | "HEAD", ["v2", "flow", secret]) => Ok(page_or_end(show(cx, secret).await)),
        ("POST", ["v2", "flow", secret]) => Ok(page_or_end(approve(cx, secret, body).await)),
        ("GET" | "HEAD", ["flow"]) => Ok(page::ask(StatusCode::OK, &client_name(cx), None, true)),
        ("POST", ["flow"]) => redirect(cx, body).await,
        (_, ["v2"] | ["v2", "poll"]) => Err(Error::MethodNotAllowed("POST")),
        (_, ["flow"] | ["v2", "flow", _]) => Err(Error::MethodNotAllowed("GET, HEAD, POST")),
        _ => Err(Error::NoRoute),
    }
}

/// Tells a client where to send the person, and where to ask.
async fn begin(cx: &Context<'_>) -> Result<Response<Body>> {
    let base = cx.base_url()?;
    let (page, poll) = (new_secret(cx), new_secret(cx));
    logins(cx).begin(&hash_token(&page), &hash_token(&poll), &client_name(cx)).await?;
    Ok(json::ok(&json!({
        "poll": { "token": poll, "endpoint": format!("{base}/login/v2/poll") },
        "login": format!("{base}/login/v2/flow/{page}"),
    })))
}

/// What was granted, this once; 404 until then.
async fn poll(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let base = cx.base_url()?;
    let [secret] = fields(body, ["token"]).await?;
    let poll = hash_token(&secret);
    let Some(sealed) = logins(cx).take(&poll).await? else {
        return Ok(json::answer(StatusCode::NOT_FOUND, &json!([])));
    };
    let granted = Granted::open(cx, &sealed, &poll)?;
    Ok(json::ok(&json!({ "server": base, "loginName": granted.login, "appPassword": granted.token })))
}

async fn show(cx: &Context<'_>, secret: &str) -> Result<Response<Body>> {
    let login = logins(cx).find(&hash_token(secret)).await?;
    Ok(page::ask(StatusCode::OK, &login.client, None, false))
}

async fn approve(cx: &Context<'_>, secret: &str, body: Body) -> Result<Response<Body>> {
    let [name, token] = fields(body, ["login", "token"]).await?;
    let logins = logins(cx);
    let login = logins.find(&hash_token(secret)).await?;
    let approval = match Approval::read(cx, &name, &token).await {
        Err(error) => return asked_again(&login.client, &name, error, false),
        Ok(approval) => approval,
    };
    let granted = approval.grant(cx, &login.client).await?;
    if let Err(error) = logins.grant(&login, &granted.seal(cx, &login.poll)).await {
        approval.revoke(&granted).await;
        return Err(error);
    }
    Ok(page::granted(&login.client))
}

/// Version 1: the browser is led to `nc://login/…`, which only the client that opened the page sees.
async fn redirect(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let [name, token] = fields(body, ["login", "token"]).await?;
    let (base, client) = (cx.base_url()?, client_name(cx));
    let approval = match Approval::read(cx, &name, &token).await {
        Err(error) => return asked_again(&client, &name, error, true),
        Ok(approval) => approval,
    };
    let granted = approval.grant(cx, &client).await?;
    let mut response = page::granted(&client);
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = format!("nc://login/server:{base}&user:{}&password:{}", granted.login, granted.token);
    response.headers_mut().insert(header::LOCATION, HeaderValue::try_from(location).map_err(Error::internal)?);
    Ok(response)
}

/// The page once more, with the login as it was typed, where the person is the one to do something about the error.
fn asked_again(client: &str, login: &str, error: Error, leads_to_client: bool) -> Result<Response<Body>> {
    let (status, problem) = match error {
        Error::Unauthorized | Error::NotFound(_) | Error::NoResource => (
            StatusCode::FORBIDDEN,
            "This login and token do not belong together, or the token is not valid.".to_owned(),
        ),
        Error::Forbidden(sentence) => (StatusCode::FORBIDDEN, sentence),
        other => return Err(other),
    };
    Ok(page::ask(status, client, Some((login, &problem)), leads_to_client))
}

/// A page also for what has gone wrong.
fn page_or_end(answer: Result<Response<Body>>) -> Response<Body> {
    answer.unwrap_or_else(|error| page::end(&error))
}

/// The values of the form's fields; empty for one that is not there.
async fn fields<const N: usize>(mut body: Body, names: [&str; N]) -> Result<[String; N]> {
    let bytes = read_at_most(&mut body as &mut dyn ByteSource, LONGEST_FORM).await?;
    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(&bytes);
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    Ok(names.map(value))
}

/// 256 random bits in hexadecimal.
fn new_secret(cx: &Context<'_>) -> String {
    cx.ports.random_hex(32)
}

fn logins(cx: &Context<'_>) -> Logins {
    Logins::open(cx.ports, &cx.meter)
}
