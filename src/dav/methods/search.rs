//! SEARCH (RFC 5323): finds files and folders by what their properties say, below the folder that the query names.

use http::Response;

use super::basicsearch::BasicSearch;
use crate::body::Body;
use crate::dav::answer::found;
use crate::dav::request::Request;
use crate::dav::request::mount::Tree;
use crate::error::{Error, Result};

/// Answers a query. Hrefs in the answer are those of the mount that the scope names. 409 with `search-scope-valid` where
/// it names none.
pub async fn answer(request: &Request<'_>, body: Body) -> Result<Response<Body>> {
    let document = request.xml(body).await?.ok_or_else(|| Error::bad("the body is empty"))?;
    let most = request.cx.config.propfind_limit;
    let query = BasicSearch::read(&document, most)?;
    let scope = match &query.scope {
        Some(href) => Some(request.scope(href).await?),
        None => None,
    };
    let scope = scope.as_ref().unwrap_or(request);
    if scope.tree != Tree::Files {
        return Err(Error::ConflictCondition("search-scope-valid"));
    }
    found::answer(scope, &query.search, query.wanted, most).await
}
