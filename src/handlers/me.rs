//! `GET /api/v1/me`: the token, its owner, and the quota.

use http::Response;
use serde_json::json;

use super::json;
use crate::body::Body;
use crate::context::Context;
use crate::error::Result;
use crate::store::ViewRequest;

/// Who the token is. Any valid token may ask.
pub async fn show(cx: &Context<'_>) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let caller = drive.view(&credentials, &ViewRequest::default(), Vec::new()).await?.caller;
    Ok(json::ok(&json!({
        "user": { "id": drive.account().to_string(), "email": caller.login, "displayName": caller.display_name },
        "token": { "scopes": caller.scopes, "folderId": caller.folder_id.map(|id| id.to_string()) },
        "quota": { "totalBytes": caller.quota, "usedBytes": caller.used() },
    })))
}
