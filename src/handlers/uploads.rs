//! `/api/v1/uploads`: resumable uploads by TUS (`transfer::tus`).

use http::Response;

use crate::body::Body;
use crate::context::Context;
use crate::error::Result;
use crate::store::Address;
use crate::transfer::tus::{self, Tus};

/// What the server can.
pub fn options() -> Response<Body> {
    tus::options()
}

/// Begins an upload into the root, or the folder that its metadata name.
pub async fn create(cx: &Context<'_>, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    Tus { cx, drive: &drive, credentials: &credentials }.create(Address::Path(Vec::new()), body).await
}

/// How far it is.
pub async fn show(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    Tus { cx, drive: &drive, credentials: &credentials }.show(id).await
}

/// Takes more bytes.
pub async fn append(cx: &Context<'_>, id: &str, body: Body) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    Tus { cx, drive: &drive, credentials: &credentials }.append(id, body).await
}

/// Throws it away.
pub async fn terminate(cx: &Context<'_>, id: &str) -> Result<Response<Body>> {
    let (drive, credentials) = cx.drive()?;
    Tus { cx, drive: &drive, credentials: &credentials }.terminate(id).await
}
