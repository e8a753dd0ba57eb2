//! PROPFIND (RFC 4918, 9.1): what is asked. `listing` writes the answer.

use http::Response;

use crate::body::Body;
use crate::dav::answer::listing;
use crate::dav::props::wanted::Wanted;
use crate::dav::request::Request;
use crate::dav::request::headers::Depth;
use crate::dav::request::mount::Tree;
use crate::dav::request::preconditions::Preconditions;
use crate::dav::request::trash_names;
use crate::error::{Error, Result};
use crate::store::{Listing, Scope, ViewRequest};

/// The properties of a file or folder, and, by Depth, of what is in it.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let (depth, without_target) = request.depth_of_listing()?;
    let depth = depth.unwrap_or(Depth::Infinity);
    let preconditions = Preconditions::read(request)?;
    let wanted = Wanted::of(request.xml(body).await?.as_ref())?;
    let limit = request.cx.config.propfind_limit;
    let detail = wanted.detail();
    let mut read = ViewRequest {
        addresses: vec![request.address()],
        detail,
        listing_detail: detail,
        listing: match depth {
            Depth::Zero => Listing::Nothing,
            Depth::One => Listing::Members(String::new(), listing::PAGE),
            Depth::Infinity => Listing::Below(limit),
        },
        locks_below: false,
    };
    preconditions.extend(&mut read);
    let trash = match request.tree {
        Tree::Trash => Some(match trash_names::number(request.path.segments())? {
            Some(item) => request.drive.find_trashed(item),
            None => request.drive.trash_statement(0, limit),
        }),
        _ => None,
    };
    let view = request.drive.view(&request.credentials, &read, trash.into_iter().collect()).await?;
    view.caller.scopes.require(Scope::Read)?;
    view.trail()?.existing()?;
    preconditions.check_if(&view, 1)?;
    if depth == Depth::Infinity && view.listing.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
        return Err(Error::ForbiddenCondition("propfind-finite-depth"));
    }
    listing::answer(request, view, wanted, read, !without_target).await
}
