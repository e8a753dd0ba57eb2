//! The pages of the login flow: plain HTML without scripts, which nobody may put into a frame.

use data_encoding::BASE64;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use quick_xml::escape::escape;
use sha2::{Digest, Sha256};

use crate::body::Body;
use crate::error::{Dialect, Error};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:3rem auto;padding:0 1rem;\
     color:#1a1a1a;background:#fff}label{display:block;margin:1rem 0 .25rem}input{font:inherit;width:100%;padding:.5rem;\
     box-sizing:border-box}button{font:inherit;margin-top:1.5rem;padding:.5rem 1.5rem}.problem{color:#a40000}\
     code{overflow-wrap:anywhere}";

/// Asks the person for login and token. `leads_to_client`: the form is answered by a redirection to the client.
pub fn ask(status: StatusCode, client: &str, problem: Option<&str>, leads_to_client: bool) -> Response<Body> {
    let problem = problem.map(|problem| format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(problem)));
    let content = format!(
        "<h1>Log in</h1><p>This program wants to read and write your files:</p><p><code>{}</code></p>\
         <p>Go on only if you have just started it yourself.</p>{}\
         <form method=\"post\"><label for=\"login\">Login</label>\
         <input id=\"login\" name=\"login\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\" required>\
         <label for=\"token\">Token</label>\
         <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required>\
         <button>Grant access</button></form>",
        escape(client),
        problem.unwrap_or_default()
    );
    page(status, "Log in", &content, if leads_to_client { "'self' nc:" } else { "'self'" })
}

/// Tells that the client has what it wants.
pub fn granted(client: &str) -> Response<Body> {
    let content = format!(
        "<h1>Access granted</h1><p><code>{}</code> can read and write your files now. You may close this window.</p>",
        escape(client)
    );
    page(StatusCode::OK, "Access granted", &content, "'none'")
}

/// Tells that there is nothing to be granted.
pub fn end(error: &Error) -> Response<Body> {
    let sentence = match error {
        Error::NotFound(_) => {
            "This login is over, or never was. Begin again in the program that wants to log in.".to_owned()
        }
        other => other.sentence(),
    };
    if matches!(error, Error::Internal(_) | Error::Unavailable(_)) {
        log::error!("{error}");
    }
    let content = format!("<h1>Not logged in</h1><p role=\"alert\">{}</p>", escape(&sentence));
    page(error.status(Dialect::Json), "Not logged in", &content, "'none'")
}

fn page(status: StatusCode, title: &str, content: &str, form_action: &str) -> Response<Body> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main>{content}</main></body></html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let style = BASE64.encode(&Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        // The URL holds the secret of the page.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
