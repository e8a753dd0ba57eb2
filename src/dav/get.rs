//! GET and HEAD (RFC 9110, 9.3.1; RFC 4918, 9.4): the bytes of a file, or a list of what is in a
//! folder for people who come with a browser.

use std::fmt::Write;

use http::{HeaderValue, Method, Response, header};
use quick_xml::escape::escape;

use super::path::encode_segment;
use super::preconditions::Preconditions;
use super::request::Request;
use crate::body::Body;
use crate::date::http_date;
use crate::error::Result;
use crate::store::{Detail, Listing, Scope, View, ViewRequest};
use crate::transfer::{Disposition, Representation, download};

/// The members that a page for people shows.
const MOST: i64 = 5_000;

/// The content of a file, or the list of a folder.
pub async fn answer(request: &Request<'_>) -> Result<Response<Body>> {
    let preconditions = Preconditions::read(request)?;
    let mut wanted = ViewRequest {
        addresses: vec![request.address()],
        detail: Detail { parts: true, ..Detail::default() },
        listing: match request.cx.method {
            Method::HEAD => Listing::Nothing,
            _ => Listing::Members(String::new(), MOST + 1),
        },
        ..ViewRequest::default()
    };
    preconditions.extend(&mut wanted);
    let view = request.drive.view(&request.credentials, &wanted, Vec::new()).await?;
    view.caller.scopes.require(Scope::Read)?;
    preconditions.check_if(&view, 1)?;
    let node = view.trail()?.existing()?;
    if node.is_folder() {
        return list(request, &view);
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
    download(request.cx, &request.drive, &what).await
}

fn list(request: &Request<'_>, view: &View) -> Result<Response<Body>> {
    let trail = view.trail()?;
    let title = trail.names().last().map_or(request.cx.config.webdav_name.as_str(), String::as_str);
    let title = escape(title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body><h1>{title}</h1>\n<table>\n<tr><th>Name</th><th>Bytes</th><th>Modified</th></tr>\n"
    );
    let base = request.href(trail.names(), true);
    if let Some((_, parent)) = trail.names().split_last() {
        let parent = request.href(parent, true);
        let _ = writeln!(html, "<tr><td><a href=\"{}\">..</a></td><td></td><td></td></tr>", escape(parent));
    }
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    for node in view.listing.iter().take(most) {
        let slash = if node.is_folder() { "/" } else { "" };
        let href = format!("{base}{}{slash}", encode_segment(&node.name));
        let _ = writeln!(
            html,
            "<tr><td><a href=\"{}\">{}{slash}</a></td><td>{}</td><td>{}</td></tr>",
            escape(href),
            escape(&node.name),
            node.size,
            http_date(node.modified_at)
        );
    }
    html.push_str("</table>\n");
    if view.listing.len() > most {
        let _ = writeln!(html, "<p>There is more than these {MOST}.</p>");
    }
    html.push_str("</body></html>\n");
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    Ok(response)
}
