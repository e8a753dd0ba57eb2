//! `/api/v1/files`. Reading the form of an upload is in `form.rs`.

use http::{Response, StatusCode};
use serde_json::json;

use super::form::Form;
use super::{
    check_members_unlocked, delete_node, folder_address, json, member_place, name_taken, paging, parse_id, relocation,
};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::store::{Address, Content, Detail, Drive, Link, Listing, Node, Scope, View, ViewRequest, twice_from};
use crate::transfer::{Disposition, Representation, download, receive};

const DIGESTS: Detail = Detail { properties: false, digests: true, parts: false };
const PARTS: Detail = Detail { properties: false, digests: false, parts: true };

/// The files in a folder, in the order of their names.
pub async fn list(cx: &Context<'_>) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let page = paging::Page::of(cx)?;
    let request = ViewRequest {
        addresses: vec![folder_address(cx.query("folderId").as_deref())?],
        listing_detail: DIGESTS,
        listing: Listing::Files(page.after_name(), page.limit + 1),
        ..ViewRequest::default()
    };
    let view = drive.view(&credentials, &request, Vec::new()).await?;
    let readable = json::Readable::of(&view.caller)?;
    if !view.trail()?.existing()?.is_folder() {
        return Err(Error::NotFound("the folder"));
    }
    let (nodes, next) = page.cut(view.listing, |node| node.name.clone());
    let files = nodes.iter().map(|node| json::file(&readable, node)).collect();
    Ok(paging::answer(cx, "files", files, next.as_deref()))
}

/// Stores the field `file` of a form under its file name. A file of that name keeps its content as
/// a version.
pub async fn upload(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let request = ViewRequest::of(folder_address(cx.query("folderId").as_deref())?);
    let upload = drive.new_upload();
    let record = drive.record_upload(&credentials, &upload);
    let view = drive.view_before_storing(&credentials, &request, Vec::new(), vec![record]).await?;
    view.caller.scopes.require(Scope::Write)?;

    let mut form = Form::open(&cx.headers, body)?;
    view.caller.check_quota(form.least_file_length())?;
    let mut field = form.file().await?;
    member_place(view.trail()?, &field.name)?;
    check_members_unlocked(view.trail()?)?;
    let content = receive(cx, &drive, &view.caller, upload, &mut field.source, None).await?;
    let (name, mime) = (field.name, field.mime);
    drop(field.source);
    form.finish().await?;

    let link = Link { mime, ..Link::default() };
    let reread = async || drive.view(&credentials, &request, Vec::new()).await;
    let linked = twice_from(view, reread, async |view| {
        let file = link_member(view, &name, &content, &link).await?;
        Ok(json::answer(StatusCode::CREATED, &json!({ "file": json::changed_file(&view.caller, &file) })))
    });
    drive.or_discard(&content, linked.await).await
}

async fn link_member(view: &View, name: &str, content: &Content, link: &Link) -> Result<Node> {
    let trail = view.trail()?;
    let place = member_place(trail, name)?;
    check_members_unlocked(trail)?;
    let linked = view.link(&place, content, link).await.map_err(name_taken)?;
    Ok(Node::of_link(&place, &linked, content, link))
}

/// One file.
pub async fn show(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (_, view) = find(cx, id, DIGESTS).await?;
    let file = view.trail()?.existing_file()?;
    Ok(json::ok(&json!({ "file": json::file(&json::Readable::of(&view.caller)?, file) })))
}

/// The bytes of a file.
pub async fn content(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, view) = find(cx, id, PARTS).await?;
    let file = view.trail()?.existing_file()?;
    let what = Representation {
        name: &file.name,
        mime: file.mime(),
        etag: &file.etag,
        modified_at: file.modified_at,
        size: file.size,
        content: file.content.as_ref(),
        disposition: Disposition::Attachment,
    };
    download(cx, &drive, &what).await
}

/// Renames or moves a file.
pub async fn change(cx: &Context<'_>, id: &str, body: Body) -> Result<Response<Body>> {
    let (caller, node) = relocation::relocate(cx, parse_id(id, "the file")?, false, body).await?;
    Ok(json::ok(&json!({ "file": json::changed_file(&caller, &node) })))
}

/// Deletes a file with its versions.
pub async fn delete(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    delete_node(cx, parse_id(id, "the file")?, false).await
}

/// Reads the way to a file for a caller who may read it.
pub(super) async fn find(cx: &Context<'_>, id: &str, detail: Detail) -> Result<(Drive, View)> {
    let (drive, credentials) = cx.drive()?;
    let request = ViewRequest { detail, ..ViewRequest::of(Address::Id(parse_id(id, "the file")?)) };
    let view = drive.view(&credentials, &request, Vec::new()).await?;
    view.caller.scopes.require(Scope::Read)?;
    view.trail()?.existing_file()?;
    Ok((drive, view))
}
