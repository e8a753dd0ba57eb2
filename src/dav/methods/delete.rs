//! DELETE (RFC 4918, 9.6)

use http::{Response, StatusCode};

use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::request::Request;
use crate::dav::request::headers::Depth;
use crate::dav::request::preconditions::Preconditions;
use crate::error::{Error, Result};
use crate::store::{Place, Scope, ViewRequest, twice};

/// Deletes a file, or a folder with everything below it: all or nothing.
pub async fn answer(request: &Request<'_>) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    if request.depth()?.is_some_and(|depth| depth == Depth::One) {
        return Err(Error::bad("DELETE takes no Depth but infinity"));
    }
    let mut wanted = ViewRequest { locks_below: true, ..ViewRequest::of(request.address()) };
    preconditions.extend(&mut wanted);
    twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let node = trail.existing()?;
        if node.is_folder() && request.depth()? == Some(Depth::Zero) {
            return Err(Error::bad("a folder is deleted with Depth infinity"));
        }
        let place = Place::of(trail)?.expecting(preconditions.expect());
        preconditions.check(&view, 1)?;
        preconditions.unlocked(&request.mount, trail)?;
        preconditions.parent_unlocked(&request.mount, trail)?;
        preconditions.below_unlocked(&request.mount, trail)?;
        view.delete(&place).await?;
        Ok(empty(StatusCode::NO_CONTENT))
    })
    .await
}
