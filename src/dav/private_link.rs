//! `GET /f/{id}`: the address of a file or folder that stays the same wherever it moves, which `oc:privatelink` tells.

use http::{HeaderValue, Response, StatusCode, header};

use super::mount::Mount;
use super::{empty, path};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::resource::parse_id;
use crate::store::{Address, Scope, ViewRequest};

/// Sends the caller to where the file or folder is at present, below `/dav/`.
pub async fn redirect(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let wanted = ViewRequest::of(Address::Id(parse_id(id, "the link's target")?));
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
