//! What REPORT and SEARCH have in common: looking for nodes below a folder in one round trip, and the answer.

use http::Response;

use super::listing;
use crate::body::Body;
use crate::dav::props::wanted::Wanted;
use crate::dav::request::Request;
use crate::error::Result;
use crate::store::{MOST_VISITED, Node, Scope, Search, ViewRequest};

/// Looks below the folder that `request` names, and answers with what was found. Where more was found than the server's own
/// limit `most`, or not all could be looked at, the answer says so with a 507 for the folder (RFC 5323, 2.3.1).
pub async fn answer(request: &Request<'_>, search: &Search, wanted: Wanted, most: i64) -> Result<Response<Body>> {
    let detail = wanted.detail();
    let read = ViewRequest { locks_below: wanted.locks(), ..ViewRequest::of(request.address()) };
    let find = request.drive.find(&request.credentials, &request.address(), search, detail);
    let view = request.drive.view(&request.credentials, &read, vec![find]).await?;
    view.caller.scopes.require(Scope::Read)?;
    let folder = view.trail()?.existing()?;
    let mut found = request.drive.found(view.also.first())?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let is_cut = found.len() > most || !can_visit(folder, search);
    found.truncate(most);
    listing::answer_found(request, view, wanted, found, is_cut).await
}

/// Whether a search visits all that it should: a folder knows how much is below it.
fn can_visit(folder: &Node, search: &Search) -> bool {
    !search.walks_down() || folder.files + folder.folders <= MOST_VISITED
}
