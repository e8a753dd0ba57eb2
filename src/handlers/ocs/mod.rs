//! `/ocs/v1.php/…` and `/ocs/v2.php/…`: what the sync clients of Nextcloud and ownCloud ask beside WebDAV.
//!
//! Both versions answer alike but for the codes (`document`). `format=json` chooses JSON, or the header Accept; XML is the
//! default.

mod capabilities;
mod document;
mod user;

use http::{Response, header};

use self::document::{Outcome, Version};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};

/// Answers a request below `/ocs/`.
pub async fn answer(cx: &Context<'_>, path: &[&str]) -> Response<Body> {
    let (version, resource) = match path {
        ["v1.php", resource @ ..] => (Version::One, resource),
        ["v2.php", resource @ ..] => (Version::Two, resource),
        _ => (Version::Two, &[] as &[&str]),
    };
    let outcome = match dispatch(cx, resource).await {
        Ok(data) => Outcome::Done(data),
        Err(error) => Outcome::Failed(error),
    };
    document::answer(version, wants_json(cx), outcome)
}

/// What the parameter says goes before what the header says.
fn wants_json(cx: &Context<'_>) -> bool {
    if let Some(format) = cx.query("format") {
        return format == "json";
    }
    let accepted = cx.header(header::ACCEPT.as_str()).unwrap_or_default().split(',');
    let mut formats = accepted.filter_map(|entry| entry.split(';').next()?.trim().strip_prefix("application/"));
    formats.find(|format| ["json", "xml"].contains(format)) == Some("json")
}

async fn dispatch(cx: &Context<'_>, resource: &[&str]) -> Result<serde_json::Value> {
    match (cx.method.as_str(), resource) {
        ("GET" | "HEAD", ["cloud", "capabilities"]) => {
            // Anybody may ask; but some clients take the answer to their token for a login.
            if cx.headers.contains_key(header::AUTHORIZATION) {
                user::caller(cx).await?;
            }
            Ok(capabilities::show(cx))
        }
        ("GET" | "HEAD", ["cloud", "user"]) => user::show(cx).await,
        ("GET" | "HEAD", ["cloud", "users", login]) => user::show_other(cx, login).await,
        ("GET" | "HEAD", ["apps", "user_status", "api", "v1", "user_status"]) => user::status(cx).await,
        ("GET" | "HEAD", ["core", "getapppassword"]) => user::app_password(cx).await,
        ("DELETE", ["core", "apppassword"]) => user::forget_app_password(cx).await,
        _ => Err(Error::NoRoute),
    }
}
