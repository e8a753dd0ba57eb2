//! GET and HEAD (RFC 9110, 9.3.1; RFC 4918, 9.4): the bytes of a file, or a list of what is in a
//! folder for people who come with a browser.

use http::Response;

use crate::body::Body;
use crate::dav::answer::index;
use crate::dav::request::Request;
use crate::dav::request::checksum;
use crate::dav::request::preconditions::Preconditions;
use crate::error::Result;
use crate::store::{Detail, Scope, ViewRequest};
use crate::transfer::{Disposition, Representation, download};

/// The content of a file, or the list of a folder.
pub async fn answer(request: &Request<'_>) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let mut wanted = ViewRequest {
        addresses: vec![request.address()],
        detail: Detail { parts: true, ..Detail::default() },
        listing: index::needs(&request.cx.method),
        ..ViewRequest::default()
    };
    preconditions.extend(&mut wanted);
    let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
    view.caller.scopes.require(Scope::Read)?;
    preconditions.check_if(&view, 1)?;
    let node = view.trail()?.existing()?;
    if node.is_folder() {
        return index::answer(request, &view);
    }
    let what = Representation {
        name: &node.name,
        mime: node.mime(),
        etag: &node.etag,
        modified_at: node.modified_at,
        size: node.size,
        content: node.content.as_ref(),
        disposition: Disposition::Inline,
    };
    let mut response = download(request.cx, &request.drive, &what).await?;
    checksum::add_known(node.content.as_ref(), &mut response);
    Ok(response)
}
