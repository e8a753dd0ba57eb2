//! `/api/v1/tokens`: an account's own tokens, for a token with the scope `manage`.

use http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{json, parse_id, read_body};
use crate::auth;
use crate::body::Body;
use crate::context::Context;
use crate::date::DAY;
use crate::error::{Error, Result};
use crate::ports::Millis;
use crate::store::{Address, Credentials, Drive, NewToken, Scope, Scopes, View, ViewRequest};

/// What a client says of a token to be made.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRequest {
    name: String,
    scopes: Vec<Scope>,
    pub(super) folder_id: Option<String>,
    expires_in_days: Option<i64>,
}

/// What a new token may not go beyond.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The folder that it is confined to.
    pub folder_id: Option<i64>,
    /// The time when its maker's token ends.
    pub expires_at: Option<Millis>,
}

/// Tokens of the account; for a confined token, those that it may make: they are confined to its folder or one below.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let view = manager(&drive, &credentials, &ViewRequest::default()).await?;
    let tokens = view.tokens().await?;
    Ok(json::ok(&json!({ "tokens": tokens.iter().map(json::token).collect::<Vec<_>>() })))
}

/// Makes a token that may do no more than the caller's.
pub async fn create(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let request: TokenRequest = read_body(&drive, &credentials, body).await?;
    let folder = request.folder_id.as_deref().map(|id| parse_id(id, "the folder")).transpose()?;
    // Reading the folder checks that the caller may see it.
    let addresses = folder.map(Address::Id).into_iter().collect();
    let view = manager(&drive, &credentials, &ViewRequest { addresses, ..ViewRequest::default() }).await?;
    let caller = &view.caller;
    let scopes = scopes(&request)?;
    if !scopes.within(&caller.scopes) {
        return Err(Error::Forbidden("a token may give no scope that it lacks".to_owned()));
    }
    let limits = Limits { folder_id: folder.or(caller.folder_id), expires_at: caller.expires_at };
    let answer = make(cx, &view, &request, scopes, limits).await?;
    Ok(json::created(&answer))
}

/// Revokes a token, which must be one that `list` shows.
pub async fn delete(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let id = parse_id(id, "the token")?;
    let view = manager(&drive, &credentials, &ViewRequest::default()).await?;
    view.delete_token(id).await?;
    Ok(json::no_content())
}

/// Makes the token that `request` describes; the answer shows its secret, this once.
pub(super) async fn make(
    cx: &Context<'_>,
    view: &View,
    request: &TokenRequest,
    scopes: Scopes,
    limits: Limits,
) -> Result<Value> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > 200 {
        return Err(Error::Unprocessable("name must have 1 to 200 characters".to_owned()));
    }
    let expires_at = match request.expires_in_days {
        None => limits.expires_at,
        Some(days @ 1..=36_500) => {
            let asked = view.now() + days * DAY;
            Some(limits.expires_at.map_or(asked, |latest| asked.min(latest)))
        }
        Some(_) => return Err(Error::Unprocessable("expiresInDays must be a number from 1 to 36500".to_owned())),
    };
    let secret = auth::new_secret(cx.ports, view.account());
    let new = NewToken {
        hash: auth::hash_token(&secret),
        name: name.to_owned(),
        scopes,
        folder_id: limits.folder_id,
        expires_at,
    };
    let mut token = json::token(&view.create_token(&new).await?);
    token["secret"] = Value::String(secret);
    Ok(json!({ "token": token }))
}

/// The scopes that are asked for: at least one.
pub(super) fn scopes(request: &TokenRequest) -> Result<Scopes> {
    Scopes::new(&request.scopes).ok_or_else(|| Error::Unprocessable("scopes must name at least one".to_owned()))
}

async fn manager(drive: &Drive, credentials: &Credentials, request: &ViewRequest) -> Result<View> {
    let view = drive.view(credentials, request, Vec::new()).await?;
    view.caller.scopes.require(Scope::Manage)?;
    Ok(view)
}
