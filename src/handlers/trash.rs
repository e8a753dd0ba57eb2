//! `/api/v1/trash`

use http::Response;
use serde_json::{Value, json};

use super::{check_members_unlocked, json, paging, parse_id};
use crate::body::Body;
use crate::context::Context;
use crate::date::{DAY, iso8601};
use crate::error::Result;
use crate::store::{Address, Drive, Scope, Trashed, ViewRequest};

/// What was deleted, in the order of its numbers. 404 for a token that is confined to a folder.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let page = paging::Page::of(cx)?;
    let also = vec![drive.trash_statement(page.after_number()?, page.limit + 1)];
    let view = drive.view(&credentials, &ViewRequest::of(Address::Trash(Vec::new())), also).await?;
    view.caller.scopes.require(Scope::Read)?;
    let (trashed, next) = page.cut(Drive::trashed(view.also.first())?, |trashed| trashed.node.id.to_string());
    let trashed = trashed.iter().map(|trashed| item(trashed, cx.config.kept.trash_days)).collect();
    Ok(paging::answer(cx, "trash", trashed, next.as_deref()))
}

/// Puts something back where it was, or, if its folder is gone, at the top of the drive; under another name where its own
/// is taken.
pub async fn restore(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let names = [parse_id(id, "what was deleted")?.to_string()];
    let (caller, node) = drive.put_back(&credentials, &names, &check_members_unlocked).await?;
    Ok(json::ok(&if node.is_folder() {
        json!({ "folder": json::changed_folder(&caller, &node) })
    } else {
        json!({ "file": json::changed_file(&caller, &node) })
    }))
}

/// Deletes something for good.
pub async fn delete(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    drive.purge(&credentials, &[parse_id(id, "what was deleted")?.to_string()]).await?;
    Ok(json::no_content())
}

/// Deletes everything in it for good.
pub async fn empty(cx: &Context<'_>) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    drive.empty_trash(&credentials).await?;
    Ok(json::no_content())
}

fn item(trashed: &Trashed, days: i64) -> Value {
    json!({
        "id": trashed.node.id.to_string(),
        "kind": if trashed.node.is_folder() { "folder" } else { "file" },
        "name": trashed.original_name,
        "location": trashed.location,
        "sizeBytes": trashed.node.size,
        "deletedAt": iso8601(trashed.deleted_at),
        "expiresAt": iso8601(trashed.deleted_at + days * DAY),
    })
}
