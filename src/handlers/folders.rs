//! `/api/v1/folders`

use http::Response;
use serde::Deserialize;
use serde_json::json;

use super::{
    check_members_unlocked, delete_node, folder_address, json, member_place, name_taken, paging, parse_id, read_body,
    relocation,
};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::store::{Address, Listing, Scope, ViewRequest, twice};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewFolder {
    name: String,
    parent_id: Option<String>,
}

/// All folders below the caller's root in one flat list; with `parentId`, the members of one
/// folder. A confined token sees its own folder first, so that scripts know its id.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let parent = cx.query("parentId");
    let page = paging::Page::of(cx)?;
    let after = page.after_number()?;
    let listing = match parent {
        Some(_) => Listing::Folders(after, page.limit + 1),
        None => Listing::FoldersBelow(after, page.limit + 1),
    };
    let address = folder_address(parent.as_deref().filter(|id| *id != "null"))?;
    let request = ViewRequest { addresses: vec![address], listing, ..ViewRequest::default() };
    let view = drive.view(&credentials, &request, Vec::new()).await?;
    let readable = json::Readable::of(&view.caller)?;
    let top = view.trail()?.existing()?;
    if !top.is_folder() {
        return Err(Error::NotFound("the folder"));
    }

    let own = (parent.is_none() && after == 0 && view.caller.folder_id.is_some()).then(|| top.clone());
    let (nodes, next) = page.cut(view.listing, |node| node.id.to_string());
    let folders: Vec<_> = own.iter().chain(&nodes).map(|node| json::folder(&readable, node)).collect();
    Ok(paging::answer(cx, "folders", folders, next.as_deref()))
}

/// Makes a folder: 409 where the name is taken, 404 where the parent is unknown.
pub async fn create(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let new: NewFolder = read_body(&drive, &credentials, body).await?;
    let request = ViewRequest::of(folder_address(new.parent_id.as_deref())?);
    twice(async || {
        let view = drive.view(&credentials, &request, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let place = member_place(trail, &new.name)?;
        check_members_unlocked(trail)?;
        let folder = view.create_folder(&place).await.map_err(name_taken)?;
        Ok(json::created(&json!({ "folder": json::changed_folder(&view.caller, &folder) })))
    })
    .await
}

/// One folder.
pub async fn show(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let request = ViewRequest::of(Address::Id(parse_id(id, "the folder")?));
    let view = drive.view(&credentials, &request, Vec::new()).await?;
    let readable = json::Readable::of(&view.caller)?;
    let node = view.trail()?.existing()?;
    if !node.is_folder() {
        return Err(Error::NotFound("the folder"));
    }
    Ok(json::ok(&json!({ "folder": json::folder(&readable, node) })))
}

/// Renames or moves a folder.
pub async fn change(cx: &Context<'_>, id: &str, body: Body) -> Result<Response<Body>> {
    let (caller, node) = relocation::relocate(cx, parse_id(id, "the folder")?, true, body).await?;
    Ok(json::ok(&json!({ "folder": json::changed_folder(&caller, &node) })))
}

/// Deletes a folder and everything below it.
pub async fn delete(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    delete_node(cx, parse_id(id, "the folder")?, true).await
}
