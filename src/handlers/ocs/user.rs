//! Who the caller is: `cloud/user`, `cloud/users/{login}`, the status of the user, and app passwords.

use serde_json::{Value, json};

use crate::auth;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::handlers::client_name;
use crate::store::{Caller, NewToken, Scope, View, ViewRequest};

/// Nextcloud's word for no quota.
const UNLIMITED: i64 = -3;

/// Who asks; any scope will do but that the token must be able to read.
pub async fn caller(cx: &Context<'_>) -> Result<View> {
    let (drive, credentials) = cx.drive()?;
    let view = drive.view(&credentials, &ViewRequest::default(), Vec::new()).await?;
    view.caller.scopes.require(Scope::Read)?;
    Ok(view)
}

/// The caller.
pub async fn show(cx: &Context<'_>) -> Result<Value> {
    Ok(describe(&caller(cx).await?.caller))
}

/// The user of that login, which must be the caller: others are not told of.
pub async fn show_other(cx: &Context<'_>, login: &str) -> Result<Value> {
    let caller = caller(cx).await?.caller;
    let login = percent_encoding::percent_decode_str(login).decode_utf8_lossy();
    if login == caller.login { Ok(describe(&caller)) } else { Err(Error::NotFound("the user")) }
}

fn describe(caller: &Caller) -> Value {
    let used = caller.used();
    let (free, total, relative) = match (caller.quota, caller.available()) {
        (Some(quota), Some(available)) => (available, quota, used.saturating_mul(10_000) / quota.max(1)),
        _ => (UNLIMITED, UNLIMITED, 0),
    };
    #[expect(clippy::cast_precision_loss, reason = "hundredths of a per cent")]
    let relative = relative as f64 / 100.0;
    json!({
        "id": caller.login,
        "display-name": caller.display_name,
        "displayname": caller.display_name,
        "email": null,
        "enabled": true,
        "language": "en",
        "locale": "",
        "groups": [],
        "quota": { "free": free, "used": used, "total": total, "relative": relative, "quota": caller.quota.unwrap_or(UNLIMITED) },
    })
}

/// Nobody's presence is watched here.
pub async fn status(cx: &Context<'_>) -> Result<Value> {
    let caller = caller(cx).await?.caller;
    Ok(json!({
        "userId": caller.login,
        "status": "online",
        "statusIsUserDefined": false,
        "message": null,
        "messageId": null,
        "messageIsPredefined": false,
        "icon": null,
        "clearAt": null,
    }))
}

/// A new token like the one that asks, for a client that will forget that one. Tokens are app passwords already: as in
/// Nextcloud, 403 for one that may not make others.
pub async fn app_password(cx: &Context<'_>) -> Result<Value> {
    let view = caller(cx).await?;
    let caller = &view.caller;
    caller.scopes.require(Scope::Manage)?;
    let secret = auth::new_secret(cx.ports, view.account());
    let new = NewToken {
        hash: auth::hash_token(&secret),
        name: client_name(cx),
        scopes: caller.scopes.clone(),
        folder_id: caller.folder_id,
        expires_at: caller.expires_at,
    };
    view.create_token(&new).await?;
    Ok(json!({ "apppassword": secret }))
}

/// The token that asks is revoked.
pub async fn forget_app_password(cx: &Context<'_>) -> Result<Value> {
    let view = caller(cx).await?;
    view.delete_token(view.caller.token_id).await?;
    Ok(json!([]))
}
