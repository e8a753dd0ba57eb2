//! `/api/v1/files/{id}/versions`

use http::Response;
use serde_json::json;

use super::files::find;
use super::{check_node_unlocked, json, parse_id};
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::Result;
use crate::store::{Address, Detail, Place, Scope, ViewRequest, twice};
use crate::transfer::download_version;

/// The earlier contents of a file, the latest first.
pub async fn list(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, view) = find(cx, id, Detail::default()).await?;
    let versions = drive.versions(view.trail()?.existing_file()?.id).await?;
    let versions: Vec<_> = versions
        .iter()
        .map(|version| {
            json!({
                "id": version.id.to_string(),
                "sizeBytes": version.size,
                "sha256": version.content.as_ref().map(|content| &content.sha256).filter(|sha256| !sha256.is_empty()),
                "modifiedAt": iso8601(version.modified_at),
                "replacedAt": iso8601(version.replaced_at),
            })
        })
        .collect();
    Ok(json::ok(&json!({ "versions": versions })))
}

/// The bytes of an earlier content.
pub async fn content(cx: &Context<'_>, id: &str, version: &str) -> Result<Response<Body>> {
    let (drive, view) = find(cx, id, Detail::default()).await?;
    let file = view.trail()?.existing_file()?;
    let version = drive.version(file.id, parse_id(version, "the version")?).await?;
    download_version(cx, &drive, file, &version).await
}

/// Makes an earlier content the present one; what is present now becomes a version.
pub async fn restore(cx: &Context<'_>, id: &str, version: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let detail = Detail { digests: true, ..Detail::default() };
    let request = ViewRequest { detail, ..ViewRequest::of(Address::Id(parse_id(id, "the file")?)) };
    twice(async || {
        let view = drive.view(&credentials, &request, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let file = trail.existing_file()?;
        let version = drive.version(file.id, parse_id(version, "the version")?).await?;
        check_node_unlocked(trail)?;
        let linked = view.restore(&Place::of(trail)?, &version).await?;
        let restored = file.restored(&version, &linked);
        Ok(json::ok(&json!({ "file": json::changed_file(&view.caller, &restored) })))
    })
    .await
}
