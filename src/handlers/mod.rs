//! The JSON REST interface, one file a resource. WebDAV is in `dav/`.

pub mod admin;
pub mod files;
pub mod folders;
mod form;
pub mod fsck;
pub mod graph;
pub mod health;
pub mod jobs;
mod json;
pub mod keys;
pub mod login_flow;
pub mod me;
pub mod ocs;
pub mod openapi;
mod paging;
mod relocation;
pub mod root;
pub mod status;
pub mod tokens;
pub mod trash;
pub mod uploads;
mod version;
pub mod versions;
pub mod webhooks;

use http::{Response, header};
use serde::de::DeserializeOwned;

use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Guard, Result};
use crate::name::read_name;
use crate::resource::parse_id;
use crate::store::{Address, Credentials, Drive, Place, Scope, Trail, ViewRequest, twice};

/// What a client calls itself, as the name of a token.
fn client_name(cx: &Context<'_>) -> String {
    let name = cx.header(header::USER_AGENT.as_str()).map(str::trim).filter(|name| !name.is_empty());
    name.unwrap_or("app password").chars().take(100).collect()
}

/// The JSON body of a request. What is wrong with it is told only to a caller who is known.
async fn read_body<T: DeserializeOwned>(drive: &Drive, credentials: &Credentials, body: Body) -> Result<T> {
    match json::read(body).await {
        Err(error) => {
            drive.view(credentials, &ViewRequest::default(), Vec::new()).await?;
            Err(error)
        }
        read => read,
    }
}

/// The folder that a request names, or without a name the caller's root.
fn folder_address(id: Option<&str>) -> Result<Address> {
    match id {
        None | Some("") => Ok(Address::Path(Vec::new())),
        Some(id) => Ok(Address::Id(parse_id(id, "the folder")?)),
    }
}

/// Refuses to change the members of the folder at the end of `trail` under a lock: REST requests
/// carry no lock tokens, so any lock forbids it.
fn check_members_unlocked(trail: &Trail) -> Result<()> {
    trail.check_unlocked(trail.target_index())
}

/// Refuses to move or delete the node at the end of `trail` under a lock.
fn check_node_unlocked(trail: &Trail) -> Result<()> {
    trail.check_unlocked(trail.target_index())?;
    trail.check_unlocked(trail.parent_index())?;
    if trail.locks_below.is_empty() { Ok(()) } else { Err(Error::Locked(Vec::new())) }
}

/// The place of a new member called `name` in the folder at the end of `trail`.
fn member_place(trail: &Trail, name: &str) -> Result<Place> {
    let folder = trail.existing()?;
    if !folder.is_folder() {
        return Err(Error::NotFound("the folder"));
    }
    Ok(Place::new_member(trail, folder.id, &read_name(name)?))
}

/// Deletes the node `id`, which must be a folder or a file as said.
async fn delete_node(cx: &Context<'_>, id: i64, folder: bool) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let request = ViewRequest { locks_below: true, ..ViewRequest::of(Address::Id(id)) };
    twice(async || {
        let view = drive.view(&credentials, &request, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        if trail.existing()?.is_folder() != folder {
            return Err(Error::NotFound(if folder { "the folder" } else { "the file" }));
        }
        let place = Place::of(trail)?;
        check_node_unlocked(trail)?;
        view.delete(&place).await?;
        Ok(json::no_content())
    })
    .await
}

/// A name that is taken: the place was assumed to be vacant, so there is no reason to try again.
fn name_taken(error: Error) -> Error {
    match error {
        Error::Raced(Guard::Exists) => Error::Conflict("the name is taken".to_owned()),
        other => other,
    }
}
