//! `/api/v1/files/{id}/versions`

use http::Response;
use serde_json::json;

use super::files::{existing_file, find};
use super::{check_node_unlocked, json, parse_id};
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::{Error, Result};
use crate::store::{Address, Detail, Drive, Place, Scope, Version, ViewRequest, twice};
use crate::transfer::download_version;

/// The earlier contents of a file, the latest first.
pub async fn list(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, view) = find(cx, id, Detail::default()).await?;
    let versions = drive.versions(existing_file(view.trail()?)?.id).await?;
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
    let file = existing_file(view.trail()?)?;
    let version = find_version(&drive, file.id, version).await?;
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
        let file = existing_file(trail)?;
        let version = find_version(&drive, file.id, version).await?;
        check_node_unlocked(trail)?;
        let linked = drive.restore(&Place::of(trail)?, &version).await?;
        let restored = file.restored(&version, &linked);
        Ok(json::ok(&json!({ "file": json::file(&view.caller, &restored) })))
    })
    .await
}

async fn find_version(drive: &Drive, file: i64, id: &str) -> Result<Version> {
    let id = parse_id(id, "the version")?;
    let versions = drive.versions(file).await?;
    versions.into_iter().find(|version| version.id == id).ok_or(Error::NotFound("the version"))
}
