//! MKCOL (RFC 4918, 9.3)

use http::{Response, StatusCode};

use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::request::Request;
use crate::dav::request::preconditions::Preconditions;
use crate::error::{Error, Guard, Result};
use crate::store::{Place, Scope, ViewRequest, twice};

/// Makes an empty folder: 405 where something is, 409 where the parent is not.
pub async fn answer(request: &Request<'_>) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let mut wanted = ViewRequest::of(request.address());
    preconditions.extend(&mut wanted);
    let made = twice(async || {
        let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        if trail.target().is_some() {
            return Err(Error::AlreadyExists(super::options::ALLOW));
        }
        let place = Place::of(trail)?;
        preconditions.check(&view, 1)?;
        preconditions.parent_unlocked(&request.mount, trail)?;
        view.create_folder(&place).await
    });
    match made.await {
        Ok(folder) => {
            let mut response = empty(StatusCode::CREATED);
            request.add_identity(folder.id, &folder.etag, response.headers_mut());
            Ok(response)
        }
        Err(Error::Raced(Guard::Exists)) => Err(Error::AlreadyExists(super::options::ALLOW)),
        Err(error) => Err(error),
    }
}
