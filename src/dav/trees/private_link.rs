//! `GET /f/{id}`: the address of a file or folder that stays the same wherever it moves, which `oc:privatelink` tells; and of
//! a drive, which Libre Graph does.

use http::{HeaderValue, Response, StatusCode, header};

use crate::body::Body;
use crate::context::Context;
use crate::dav::answer::response::empty;
use crate::dav::request::mount::Mount;
use crate::dav::request::path;
use crate::error::{Error, Result};
use crate::resource::{parse_id, space_id};
use crate::store::{Address, Scope, ViewRequest};

/// Sends the caller to where the file or folder is at present, below `/dav/`.
pub async fn redirect(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let id = percent_encoding::percent_decode_str(id).decode_utf8_lossy();
    let address = if id == space_id(drive.account()) {
        Address::Path(Vec::new())
    } else {
        Address::Id(parse_id(&id, "the link's target")?)
    };
    let wanted = ViewRequest::of(address);
    let view = drive.view(&credentials, &wanted, Vec::new()).await?;
    view.caller.scopes.require(Scope::Read)?;
    let trail = view.trail()?;
    let mount = Mount::behind(cx.forwarded_prefix(), "/dav", &cx.config.webdav_name);
    let location = path::href(&mount.prefix, trail.names(), trail.existing()?.is_folder());
    let mut response = empty(StatusCode::FOUND);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::try_from(location).map_err(Error::internal)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
