//! URL to handler, one table.

use std::borrow::Cow;

use http::{HeaderValue, Method, Response, StatusCode, header};

use crate::body::Body;
use crate::context::Context;
use crate::dav;
use crate::error::{Dialect, Error, Result};
use crate::handlers::{
    admin, files, folders, fsck, graph, health, jobs, keys, login_flow, me, ocs, openapi, root, status, tokens, trash,
    uploads, versions, webhooks,
};
use crate::transfer::{check_coding, tus};

/// Answers a request; errors take the form that clients of the path read.
pub async fn answer(cx: &Context<'_>, body: Body) -> Response<Body> {
    let mut response = if dav::is_mounted(cx.uri.path(), &cx.config.webdav_name) {
        dav::answer(cx, body).await
    } else {
        rest(cx, body).await.unwrap_or_else(|error| error.into_response(Dialect::Json, &cx.config.webdav_name))
    };
    if tus::is_meant(cx) {
        tus::add_version(cx, response.headers_mut());
    }
    response
}

async fn rest(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    check_coding(&cx.headers)?;
    let path = plain(cx.uri.path());
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let method = match cx.method {
        Method::HEAD => "GET",
        ref other => other.as_str(),
    };
    match (method, segments.as_slice()) {
        ("GET", []) => Ok(root::welcome(cx)),
        ("GET", ["favicon.ico"]) => Ok(root::icon()),
        // Explorer asks the root of the server what it is before it asks the mount.
        ("OPTIONS", []) => Ok(dav::capabilities()),
        // GNOME's file manager climbs up to the root. Without a body: what is compressed crashes its libsoup when it skips it.
        ("PROPFIND", []) => Ok(empty(StatusCode::NOT_FOUND)),
        ("GET", ["healthz"]) => Ok(health::alive()),
        ("GET", ["readyz"]) => health::ready(cx).await,
        ("POST", ["internal", "jobs", "run"]) => jobs::run(cx).await,
        ("GET", ["status.php"]) => Ok(status::answer()),
        // By which Nextcloud's Android app tells a network that leads here from one with a page of its own in between.
        ("GET", ["204"] | ["index.php", "204"]) => Ok(empty(StatusCode::NO_CONTENT)),
        (_, ["ocs", resource @ ..]) => Ok(ocs::answer(cx, resource).await),
        (_, ["graph", "v1.0" | "v1beta1", resource @ ..]) => Ok(graph::answer(cx, resource).await),
        (_, ["login", path @ ..] | ["index.php", "login", path @ ..]) => login_flow::answer(cx, path, body).await,
        (_, [".well-known", "webdav"]) => Ok(redirect(&format!("{}/remote.php/dav/", cx.forwarded_prefix()))),
        ("GET", ["f", id]) => Ok(dav::private_link(cx, id).await),
        (method, ["api", "v1", resource @ ..]) => {
            let stands_for = tus::method(cx).filter(|_| resource.first() == Some(&"uploads"));
            api(cx, stands_for.unwrap_or(method), resource, body).await
        }
        _ => Err(Error::NoRoute),
    }
}

/// A path without the percent-encoding of unreserved characters: with it, it is the same path (RFC 3986, 6.2.2.2).
fn plain(path: &str) -> Cow<'_, str> {
    let mut parts = path.split('%');
    let first = parts.next().unwrap_or_default();
    if first.len() == path.len() {
        return path.into();
    }
    parts
        .fold(first.to_owned(), |mut plain, part| {
            let decoded = part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match decoded.filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)) {
                Some(byte) => plain.push(char::from(byte)),
                None => plain.push('%'),
            }
            let rest = if plain.ends_with('%') { part } else { part.get(2..).unwrap_or_default() };
            plain + rest
        })
        .into()
}

async fn api(cx: &Context<'_>, method: &str, resource: &[&str], body: Body) -> Result<Response<Body>> {
    match (method, resource) {
        ("GET", ["openapi.json"]) => openapi::show(),
        ("GET", ["me"]) => me::show(cx).await,

        ("GET", ["folders"]) => folders::list(cx).await,
        ("POST", ["folders"]) => folders::create(cx, body).await,
        ("GET", ["folders", id]) => folders::show(cx, id).await,
        ("PATCH", ["folders", id]) => folders::change(cx, id, body).await,
        ("DELETE", ["folders", id]) => folders::delete(cx, id).await,

        ("GET", ["files"]) => files::list(cx).await,
        ("POST", ["files"]) => files::upload(cx, body).await,
        ("GET", ["files", id]) => files::show(cx, id).await,
        ("PATCH", ["files", id]) => files::change(cx, id, body).await,
        ("DELETE", ["files", id]) => files::delete(cx, id).await,
        ("GET", ["files", id, "download"]) => files::content(cx, id).await,

        ("GET", ["files", id, "versions"]) => versions::list(cx, id).await,
        ("GET", ["files", id, "versions", version, "download"]) => versions::content(cx, id, version).await,
        ("POST", ["files", id, "versions", version, "restore"]) => versions::restore(cx, id, version).await,

        ("GET", ["trash"]) => trash::list(cx).await,
        ("DELETE", ["trash"]) => trash::empty(cx).await,
        ("DELETE", ["trash", id]) => trash::delete(cx, id).await,
        ("POST", ["trash", id, "restore"]) => trash::restore(cx, id).await,

        ("OPTIONS", ["uploads", ..]) => Ok(uploads::options()),
        ("POST", ["uploads"]) => uploads::create(cx, body).await,
        ("GET", ["uploads", id]) => uploads::show(cx, id).await,
        ("PATCH", ["uploads", id]) => uploads::append(cx, id, body).await,
        ("DELETE", ["uploads", id]) => uploads::terminate(cx, id).await,

        ("GET", ["tokens"]) => tokens::list(cx).await,
        ("POST", ["tokens"]) => tokens::create(cx, body).await,
        ("DELETE", ["tokens", id]) => tokens::delete(cx, id).await,

        ("GET", ["admin", "accounts"]) => admin::list(cx).await,
        ("POST", ["admin", "accounts"]) => admin::create(cx, body).await,
        ("GET", ["admin", "accounts", id]) => admin::show(cx, id).await,
        ("PATCH", ["admin", "accounts", id]) => admin::change(cx, id, body).await,
        ("DELETE", ["admin", "accounts", id]) => admin::delete(cx, id).await,
        ("GET", ["admin", "accounts", id, "tokens"]) => admin::list_tokens(cx, id).await,
        ("POST", ["admin", "accounts", id, "tokens"]) => admin::create_token(cx, id, body).await,
        ("DELETE", ["admin", "accounts", id, "tokens", token]) => admin::delete_token(cx, id, token).await,

        ("POST", ["admin", "fsck"]) => fsck::run(cx, body).await,

        ("GET", ["admin", "keys"]) => keys::list(cx).await,

        ("GET", ["admin", "jobs"]) => jobs::list(cx).await,
        ("POST", ["admin", "jobs", id, "retry"]) => jobs::retry(cx, id).await,
        ("DELETE", ["admin", "jobs", id]) => jobs::discard(cx, id).await,

        ("GET", ["admin", "rescan"]) => jobs::rescan_progress(cx).await,
        ("POST", ["admin", "rescan"]) => jobs::rescan(cx).await,

        ("GET", ["webhooks"]) => webhooks::list(cx).await,
        ("POST", ["webhooks"]) => webhooks::create(cx, body).await,
        ("GET", ["webhooks", id]) => webhooks::show(cx, id).await,
        ("PATCH", ["webhooks", id]) => webhooks::change(cx, id, body).await,
        ("DELETE", ["webhooks", id]) => webhooks::delete(cx, id).await,
        ("POST", ["webhooks", id, "test"]) => webhooks::test(cx, id).await,
        ("GET", ["webhooks", id, "deliveries"]) => webhooks::deliveries(cx, id).await,
        ("POST", ["webhooks", id, "deliveries", delivery, "redeliver"]) => webhooks::redeliver(cx, id, delivery).await,

        _ => Err(refused(resource)),
    }
}

/// 405 for a resource that there is, 404 for any other.
fn refused(resource: &[&str]) -> Error {
    match resource {
        ["trash"] => Error::MethodNotAllowed("GET, HEAD, DELETE"),
        ["trash", _] => Error::MethodNotAllowed("DELETE"),
        ["uploads"] => Error::MethodNotAllowed("OPTIONS, POST"),
        ["uploads", _] => Error::MethodNotAllowed("OPTIONS, HEAD, PATCH, DELETE"),
        ["me" | "openapi.json"]
        | ["admin", "jobs" | "keys"]
        | ["webhooks", _, "deliveries"]
        | ["files", _, "download" | "versions"]
        | ["files", _, "versions", _, "download"] => Error::MethodNotAllowed("GET, HEAD"),
        ["folders" | "files" | "tokens" | "webhooks"]
        | ["admin", "accounts" | "rescan"]
        | ["admin", "accounts", _, "tokens"] => Error::MethodNotAllowed("GET, HEAD, POST"),
        ["folders" | "files" | "webhooks", _] | ["admin", "accounts", _] => {
            Error::MethodNotAllowed("GET, HEAD, PATCH, DELETE")
        }
        ["tokens", _] | ["admin", "jobs", _] | ["admin", "accounts", _, "tokens", _] => {
            Error::MethodNotAllowed("DELETE")
        }
        ["files", _, "versions", _, "restore"]
        | ["trash", _, "restore"]
        | ["admin", "fsck"]
        | ["admin", "jobs", _, "retry"]
        | ["webhooks", _, "test"]
        | ["webhooks", _, "deliveries", _, "redeliver"] => Error::MethodNotAllowed("POST"),
        _ => Error::NoRoute,
    }
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn redirect(location: &str) -> Response<Body> {
    let mut response = empty(StatusCode::MOVED_PERMANENTLY);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn unreserved_characters_need_no_encoding() {
        for (path, expected) in [
            ("/api/v1/me", "/api/v1/me"),
            ("/%61pi/v1/m%65", "/api/v1/me"),
            ("/status%2Ephp/%7e", "/status.php/~"),
            ("/a%2Fb%20c%25%64", "/a%2Fb%20c%25d"),
            ("/%2", "/%2"),
            ("/%", "/%"),
            ("/%%61", "/%a"),
            ("/%+1%é", "/%+1%é"),
            ("/%C3%A9", "/%C3%A9"),
        ] {
            assert_eq!(plain(path), expected);
        }
    }
}
