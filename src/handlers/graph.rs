//! `/graph/v1.0/…`: what ownCloud's clients ask of Libre Graph: who the caller is, and which drives there are. There is one.

use http::Response;
use serde_json::{Map, Value, json};

use super::json;
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::{Dialect, Error, Result};
use crate::resource::space_id;
use crate::store::{Address, Caller, Node, Scope, ViewRequest};

/// Answers a request below `/graph/v1.0/`.
pub async fn answer(cx: &Context<'_>, resource: &[&str]) -> Response<Body> {
    match dispatch(cx, resource).await {
        Ok(value) => json::ok(&value),
        Err(error) => error.into_response(Dialect::Graph, &cx.config.webdav_name),
    }
}

async fn dispatch(cx: &Context<'_>, resource: &[&str]) -> Result<Value> {
    match (cx.method.as_str(), resource) {
        ("GET" | "HEAD", ["me"]) => Ok(user(&read(cx).await?.0)),
        ("GET" | "HEAD", ["me", "drive"]) => own_drive(cx).await,
        ("GET" | "HEAD", ["me", "drives"] | ["drives"]) => drives(cx).await,
        ("GET" | "HEAD", ["drives", id]) => {
            let drive = own_drive(cx).await?;
            let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
            if drive["id"] == *id { Ok(drive) } else { Err(Error::NotFound("the drive")) }
        }
        (_, ["me" | "drives"] | ["me", "drive" | "drives"] | ["drives", _]) => {
            Err(Error::MethodNotAllowed("GET, HEAD"))
        }
        _ => Err(Error::NoRoute),
    }
}

/// Who asks, and the root of what the token opens.
async fn read(cx: &Context<'_>) -> Result<(Caller, Node)> {
    let (drive, credentials) = cx.drive()?;
    let view = drive.view(&credentials, &ViewRequest::of(Address::Path(Vec::new())), Vec::new()).await?;
    view.caller.scopes.require(Scope::Read)?;
    let root = view.trail()?.existing()?.clone();
    Ok((view.caller, root))
}

fn user(caller: &Caller) -> Value {
    json!({
        "id": caller.account_id.to_string(),
        "displayName": caller.display_name,
        "onPremisesSamAccountName": caller.login,
        "accountEnabled": true,
        "userType": "Member",
    })
}

/// All drives: the caller's own, unless a filter asks for another type.
async fn drives(cx: &Context<'_>) -> Result<Value> {
    let drive = own_drive(cx).await?;
    let filter = cx.query("$filter").unwrap_or_default().to_ascii_lowercase();
    let is_asked = !filter.contains("drivetype eq") || filter.contains("'personal'") || filter.contains("eq personal");
    Ok(json!({ "value": if is_asked { vec![drive] } else { Vec::new() } }))
}

async fn own_drive(cx: &Context<'_>) -> Result<Value> {
    let (caller, root) = read(cx).await?;
    let (base, id) = (cx.base_url()?, space_id(caller.account_id));
    let modified = iso8601(root.modified_at);
    Ok(json!({
        "id": id,
        "name": caller.display_name,
        "driveType": "personal",
        "driveAlias": format!("personal/{}", caller.login),
        "lastModifiedDateTime": modified,
        "owner": { "user": { "id": caller.account_id.to_string(), "displayName": caller.display_name } },
        "quota": quota(&caller),
        "root": {
            "id": format!("{id}!{}", root.id),
            "eTag": format!("\"{}\"", root.etag),
            "lastModifiedDateTime": modified,
            "webDavUrl": format!("{base}/dav/spaces/{id}"),
        },
        "webUrl": format!("{base}/f/{id}"),
    }))
}

/// Without a quota, the total is 0, and nothing is said of what remains.
fn quota(caller: &Caller) -> Value {
    let used = caller.used();
    let mut quota = Map::new();
    quota.insert("total".to_owned(), caller.quota.unwrap_or(0).into());
    quota.insert("used".to_owned(), used.into());
    let mut state = "normal";
    if let (Some(total), Some(remaining)) = (caller.quota, caller.available()) {
        quota.insert("remaining".to_owned(), remaining.into());
        state = match used.saturating_mul(100) / total.max(1) {
            _ if remaining == 0 => "exceeded",
            90.. => "critical",
            75.. => "nearing",
            _ => "normal",
        };
    }
    quota.insert("state".to_owned(), state.into());
    quota.into()
}
