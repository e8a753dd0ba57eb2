//! `/api/v1/uploads`: resumable uploads by TUS (`transfer::tus`).

use http::Response;

use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::store::{Address, Trail};
use crate::transfer::if_header::IfHeader;
use crate::transfer::tus::{self, Tus};

/// What the server can.
pub fn options() -> Response<Body> {
    tus::options()
}

/// Whether no lock keeps a file from being written, or the header `If` submits the token of one (RFC 4918, 6.5): a client that
/// holds a lock can finish here what it has begun in a folder of WebDAV. 400 for a header that is malformed.
fn may_write(cx: &Context<'_>) -> Result<impl Fn(&Trail) -> Result<()>> {
    let header = cx.headers.get("if").map(|value| value.to_str().ok().and_then(|text| IfHeader::parse(text).ok()));
    let header = match header {
        Some(None) => return Err(Error::bad("the If header is malformed")),
        other => other.flatten(),
    };
    Ok(move |file: &Trail| {
        file.check_file_unlocked(|token| header.iter().flat_map(IfHeader::tokens).any(|it| it == token))
    })
}

/// Begins an upload into the root, or the folder that its metadata name.
pub async fn create(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let may_write = &may_write(cx)?;
    Tus { cx, drive: &drive, credentials: &credentials, may_write }.create(Address::Path(Vec::new()), body).await
}

/// How far it is.
pub async fn show(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let may_write = &may_write(cx)?;
    Tus { cx, drive: &drive, credentials: &credentials, may_write }.show(id).await
}

/// Takes more bytes.
pub async fn append(cx: &Context<'_>, id: &str, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let may_write = &may_write(cx)?;
    Tus { cx, drive: &drive, credentials: &credentials, may_write }.append(id, body).await
}

/// Throws it away.
pub async fn terminate(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    let may_write = &may_write(cx)?;
    Tus { cx, drive: &drive, credentials: &credentials, may_write }.terminate(id).await
}
