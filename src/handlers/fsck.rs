//! `/api/v1/admin/fsck`: database and object store held against each other, for the bearer of
//! `ADMIN_TOKEN`.

use http::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::json;
use crate::auth::require_admin;
use crate::body::Body;
use crate::context::Context;
use crate::date::iso8601;
use crate::error::Result;
use crate::fsck::{self, Loss};
use crate::store::{LostFile, Mended};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FsckRequest {
    #[serde(default)]
    after: String,
    #[serde(default)]
    repair: bool,
}

/// Checks a stretch of the keys, and tells where the next one begins.
pub async fn run(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    require_admin(cx.config, &cx.headers)?;
    let request: FsckRequest = json::read(body).await?;
    let report = fsck::check(cx, &request.after, request.repair).await?;
    let mended = report.losses.iter().filter(|loss| loss.is_mended).count();
    Ok(json::ok(&json!({
        "blobs": report.blobs,
        "parts": report.parts,
        "orphans": report.orphans.iter().map(|key| json!({ "key": key })).collect::<Vec<_>>(),
        "losses": report.losses.iter().map(loss).collect::<Vec<_>>(),
        "repaired": if request.repair { report.orphans.len() + mended } else { 0 },
        "next": report.next,
    })))
}

fn loss(loss: &Loss) -> Value {
    let mended = loss.mended.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let files = loss.named.files.iter().zip(mended);
    json!({
        "key": loss.part.key,
        "contentId": loss.part.content_id,
        "files": files.map(|(lost, mended)| file(lost, mended)).collect::<Vec<_>>(),
        "fileCount": loss.named.file_count,
        "versions": loss.named.versions,
        "repaired": loss.is_mended,
    })
}

fn file(file: &LostFile, mended: Option<&Mended>) -> Value {
    let (repair, modified_at) = match mended {
        None => (None, None),
        Some(Mended::Restored { modified_at }) => (Some("restored"), Some(iso8601(*modified_at))),
        Some(Mended::Deleted) => (Some("deleted"), None),
        Some(Mended::Elsewise) => (Some("changed"), None),
    };
    json!({
        "accountId": file.account_id.to_string(),
        "id": file.id.to_string(),
        "path": file.path,
        "repair": repair,
        "restoredModifiedAt": modified_at,
    })
}
