//! The frame of our own pages for people: plain HTML without scripts, which nobody may put into a frame. The pages of the
//! drive's files are not among them: what those may do is said in `transfer::browser`.

use data_encoding::BASE64;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use quick_xml::escape::escape;
use sha2::{Digest, Sha256};

use crate::body::Body;

/// One for all pages, so that its hash is all that a policy has to allow.
const STYLE: &str = include_str!("page.css");

/// A folder, within the page: no other request is made for it.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
     %3Cpath fill='%23357' d='M1 3h5l2 2h7v9H1z'/%3E%3C/svg%3E";

/// A page that is being made.
pub struct Page<'a> {
    title: &'a str,
    content: &'a str,
    form_action: &'a str,
    width: &'a str,
}

impl<'a> Page<'a> {
    /// A page with this title, which is plain text, and this content, which is HTML.
    pub fn new(title: &'a str, content: &'a str) -> Self {
        Self { title, content, form_action: "'none'", width: "narrow" }
    }

    /// Lets the page's forms be sent there: sources as in the directive `form-action` (CSP 3, 6.4.2).
    #[must_use]
    pub fn with_forms(self, form_action: &'a str) -> Self {
        Self { form_action, ..self }
    }

    /// As wide as a table needs it.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { width: "wide", ..self }
    }

    /// The page as an answer that nobody keeps.
    pub fn answer(&self, status: StatusCode) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        self.fill(&mut response);
        response
    }

    /// Makes the page the body of an answer, which keeps its status and its other headers.
    pub fn fill(&self, response: &mut Response<Body>) {
        let (title, content, width) = (escape(self.title), self.content, self.width);
        *response.body_mut() = Body::from(format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <link rel=\"icon\" href=\"{ICON}\"><style>{STYLE}</style></head>\n\
             <body class=\"{width}\"><main>\n{content}</main></body></html>\n"
        ));
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::try_from(self.policy()) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            // Names of folders, and the secret in the address of a login, are nobody else's business.
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("x-robots-tag"), "noindex"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }

    /// Nothing but the style and the icon that are in the page.
    fn policy(&self) -> String {
        format!(
            "default-src 'none'; style-src 'sha256-{}'; img-src data:; form-action {}; frame-ancestors 'none'; \
             base-uri 'none'",
            BASE64.encode(&Sha256::digest(STYLE)),
            self.form_action
        )
    }
}
