//! What a person sees who opens the address in a browser, and the icon that each browser asks for.

use http::{HeaderValue, Response, StatusCode, header};
use quick_xml::escape::escape;

use crate::body::Body;
use crate::context::Context;
use crate::page::Page;

/// Says what this is, and where the files are.
pub fn welcome(cx: &Context<'_>) -> Response<Body> {
    let (name, prefix) = (&cx.config.webdav_name, cx.forwarded_prefix());
    let content = format!(
        "<h1>{}</h1>\n<p>A personal cloud drive.</p>\n\
         <p><a href=\"{prefix}/dav/\">Your files</a>: the browser asks for your login, and for a token as the password.</p>\n\
         <p>Clients of Nextcloud and ownCloud take the address of this page, all others of WebDAV \
         <code>{prefix}/dav/</code>. Programs find <a href=\"{prefix}/api/v1/openapi.json\">REST</a> at \
         <code>{prefix}/api/v1/</code>.</p>\n",
        escape(name)
    );
    Page::new(name, &content).answer(StatusCode::OK)
}

/// No icon, which is no error: browsers ask for one beside each file that they show.
pub fn icon() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    response
}
