//! PUT (RFC 9110, 9.3.4; RFC 4918, 9.7)

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::body::Body;
use crate::dav::answer::response::empty;
use crate::dav::request::Request;
use crate::dav::request::mount::Mount;
use crate::dav::request::preconditions::Preconditions;
use crate::dav::request::{checksum, headers};
use crate::error::{Error, Result};
use crate::store::{Link, Linked, Place, Scope, View, ViewRequest, twice_from};
use crate::transfer::{announced_length, date_header, receive};

/// Stores the body under the path. The former content of a file becomes a version.
pub async fn answer(request: &Request<'_>, mut body: Body) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    if request.cx.headers.contains_key(header::CONTENT_RANGE) {
        return Err(Error::bad("a PUT stores a whole content; Content-Range is not taken"));
    }
    let link = link_of(request)?;
    let length = announced_length(&request.cx.headers, &body)?;
    let mut wanted = ViewRequest::of(request.address());
    preconditions.extend(&mut wanted);

    let upload = request.drive.new_upload();
    let record = (length != Some(0)).then(|| request.drive.record_upload(&request.credentials, &upload));
    let (drive, records) = (&request.drive, record.into_iter().collect());
    let view = drive.view_before_storing(&request.credentials, &wanted, Vec::new(), records).await?;
    to_file(&request.mount, &preconditions, &view)?;
    view.caller.check_quota(headers::total_length(&request.cx.headers)?.unwrap_or_default().bytes())?;
    let content = receive(request.cx, drive, &view.caller, upload, &mut body, length).await?;
    checksum::verify(drive, link.checksum.as_ref(), &content).await?;

    let reread = async || drive.view(&request.credentials, &wanted, Vec::new()).await;
    let linked = twice_from(view, reread, async |view| {
        view.link(&to_file(&request.mount, &preconditions, view)?, &content, &link).await
    });
    let linked = drive.or_discard(&content, linked.await).await?;
    let mut response = stored(request, &linked, &link);
    checksum::add_asked(&request.cx.headers, &content, response.headers_mut());
    Ok(response)
}

/// What the headers say of the file.
pub fn link_of(request: &Request<'_>) -> Result<Link> {
    let cx = request.cx;
    Ok(Link {
        mime: cx.header(header::CONTENT_TYPE.as_str()).map(ToOwned::to_owned),
        modified_at: headers::oc_mtime(&cx.headers)?,
        created_at: headers::oc_ctime(&cx.headers)?,
        checksum: checksum::read(&cx.headers)?,
        lock: None,
    })
}

/// The place of the view's first trail, which the client names by `mount`, for a caller who may store a file there. Refuses the others before any byte of the
/// body is read.
pub fn to_file(mount: &Mount, preconditions: &Preconditions, view: &View) -> Result<Place> {
    view.caller.scopes.require(Scope::Write)?;
    let trail = view.trail()?;
    if trail.target().is_some_and(crate::store::Node::is_folder) {
        return Err(Error::MethodNotAllowed(super::options::ALLOW));
    }
    let place = Place::of(trail)?.expecting(preconditions.expect());
    preconditions.check(view, 1)?;
    preconditions.file_unlocked(mount, trail)?;
    Ok(place)
}

/// The answer to an upload that has come to its end.
pub fn stored(request: &Request<'_>, linked: &Linked, link: &Link) -> Response<Body> {
    let mut response = empty(if linked.created { StatusCode::CREATED } else { StatusCode::NO_CONTENT });
    let headers = response.headers_mut();
    request.add_identity(linked.id, &linked.etag, headers);
    headers.insert(header::LAST_MODIFIED, date_header(linked.modified_at));
    for (name, time) in [("x-oc-mtime", link.modified_at), ("x-oc-ctime", link.created_at)] {
        if time.is_some() {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("accepted"));
        }
    }
    response
}
