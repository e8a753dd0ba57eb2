//! The pages of the login flow.

use http::{Response, StatusCode};
use quick_xml::escape::escape;

use crate::body::Body;
use crate::error::{Dialect, Error};
use crate::page::Page;

/// Asks the person for login and token. `again`: the login as it was typed before, and what was wrong then.
/// `leads_to_client`: the form is answered by a redirection to the client.
pub fn ask(status: StatusCode, client: &str, again: Option<(&str, &str)>, leads_to_client: bool) -> Response<Body> {
    let (login, problem) = again.unwrap_or_default();
    let alert = match problem {
        "" => String::new(),
        problem => format!("<p class=\"problem\" role=\"alert\">{}</p>", escape(problem)),
    };
    // Where there is something to be typed next.
    let (at_login, at_token) = if login.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
    let content = format!(
        "<h1>Log in</h1><p>This program wants to read and write your files:</p><p><code>{}</code></p>\
         <p>Go on only if you have just started it yourself.</p>{alert}\
         <form method=\"post\"><label for=\"login\">Login</label>\
         <input id=\"login\" name=\"login\" value=\"{}\" autocomplete=\"username\" autocapitalize=\"none\" \
         spellcheck=\"false\" required{at_login}>\
         <label for=\"token\">Token</label>\
         <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"current-password\" required{at_token}>\
         <button>Grant access</button></form>",
        escape(client),
        escape(login),
    );
    let form_action = if leads_to_client { "'self' nc:" } else { "'self'" };
    Page::new("Log in", &content).with_forms(form_action).answer(status)
}

/// Tells that the client has what it wants.
pub fn granted(client: &str) -> Response<Body> {
    let content = format!(
        "<h1>Access granted</h1><p><code>{}</code> can read and write your files now. You may close this window.</p>",
        escape(client)
    );
    Page::new("Access granted", &content).answer(StatusCode::OK)
}

/// Tells that there is nothing to be granted.
pub fn end(error: &Error) -> Response<Body> {
    let sentence = match error {
        Error::NotFound(_) | Error::NoRoute | Error::NoResource => {
            "This login is over, or never was. Begin again in the program that wants to log in.".to_owned()
        }
        other => other.sentence(),
    };
    if matches!(error, Error::Internal(_) | Error::Unavailable(_)) {
        log::error!("{error}");
    }
    let content = format!("<h1>Not logged in</h1><p role=\"alert\">{}</p>", escape(&sentence));
    Page::new("Not logged in", &content).answer(error.status(Dialect::Json))
}
