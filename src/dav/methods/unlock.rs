//! UNLOCK (RFC 4918, 9.11)

use http::{Response, StatusCode};

use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::request::Request;
use crate::dav::request::headers;
use crate::dav::request::preconditions::Preconditions;
use crate::error::{Error, Result};
use crate::store::{Scope, ViewRequest};

/// Removes the lock that the header Lock-Token names: 409 where it does not hold here.
pub async fn answer(request: &Request<'_>) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let token = headers::lock_token(&request.cx.headers)?;
    let token = token.ok_or_else(|| Error::bad("the header Lock-Token is missing"))?;
    let mut wanted = ViewRequest::of(request.address());
    preconditions.extend(&mut wanted);
    let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
    view.caller.scopes.require(Scope::Write)?;
    preconditions.check(&view, 1)?;
    let trail = view.trail()?;
    trail.existing()?;
    let Some((index, _)) = trail.covering_target().find(|(_, lock)| lock.token == token) else {
        return Err(Error::ConflictCondition("lock-token-matches-request-uri"));
    };
    trail.check_own(index)?;
    view.unlock(&token).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
