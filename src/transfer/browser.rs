//! What a browser is told of a stored file: its type, and what its page may do. Stored files are strangers' files on our own
//! origin, opened by somebody who is logged in.

use http::{HeaderMap, HeaderValue, header};

/// The policy (CSP 3) of all that may be a document of its own, like HTML and SVG, or that the browser puts into one:
///
/// - `default-src 'none'`: nothing is fetched, least of all from the drive: a GET of the page would carry the login.
/// - `style-src 'unsafe-inline'`: the page's own style, which can fetch nothing either. Browsers need it for a picture, too.
/// - `img-src` and `font-src data:`: pictures and fonts that are within the page, as drawing programs write them into SVG.
/// - `sandbox`: no scripts, no forms, no new windows, and an origin of its own, from which the drive's is out of reach.
const OF_DOCUMENTS: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox";

/// The policy of what is no document, but gets one that the browser makes around its own player or reader:
///
/// - `default-src 'none'` and `style-src 'unsafe-inline'`: as above.
/// - `media-src 'self'`: the player fetches the file once more, in ranges.
/// - `form-action 'none'`: neither does a PDF send forms.
///
/// Without `sandbox`: it would have the player fetch from an origin of its own, without the login, and Safari shows no PDF
/// in one. Nothing of the file runs on our origin all the same, as `nosniff` keeps the browser from taking it for a document.
const OF_PLAYERS: &str = "default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; form-action 'none'";

/// Adds Content-Type and what keeps the file from acting as a page of the drive.
pub fn describe(headers: &mut HeaderMap, mime: &str) {
    if let Ok(value) = HeaderValue::try_from(content_type(mime)) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    let policy = if is_played(mime) { OF_PLAYERS } else { OF_DOCUMENTS };
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The media type, and for text without a charset that it is UTF-8: browsers would take it for windows-1252. A byte order
/// mark goes before that, so UTF-16 stays legible. HTML and XML tell their encoding themselves, which a charset would
/// overrule (RFC 7303, 3.2).
fn content_type(mime: &str) -> String {
    let essence = essence(mime);
    let tells_itself = matches!(&*essence, "text/html" | "text/xml") || essence.ends_with("+xml");
    let has_charset = mime.to_ascii_lowercase().contains("charset");
    if essence.starts_with("text/") && !tells_itself && !has_charset {
        return format!("{mime}; charset=utf-8");
    }
    mime.to_owned()
}

/// Whether a browser has a player or a reader for it. A comma may begin another type, which a browser would believe (Fetch,
/// "extract a MIME type"), so what has one is taken for a document.
fn is_played(mime: &str) -> bool {
    let essence = essence(mime);
    let is_media = essence.starts_with("audio/") || essence.starts_with("video/");
    (is_media || matches!(&*essence, "application/ogg" | "application/pdf")) && !mime.contains(',')
}

/// Type and subtype in lower case, without parameters.
fn essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf_8_unless_it_says_otherwise() {
        for (mime, told) in [
            ("text/plain", "text/plain; charset=utf-8"),
            ("text/x-diary; a=b", "text/x-diary; a=b; charset=utf-8"),
            ("text/plain; charset=iso-8859-1", "text/plain; charset=iso-8859-1"),
            ("Text/CSV;Charset=\"x\"", "Text/CSV;Charset=\"x\""),
            ("text/html", "text/html"),
            ("text/xml", "text/xml"),
            ("image/svg+xml", "image/svg+xml"),
            ("application/json", "application/json"),
        ] {
            assert_eq!(content_type(mime), told);
        }
    }

    #[test]
    fn only_what_no_browser_takes_for_a_document_is_without_a_sandbox() {
        for mime in ["video/mp4", "AUDIO/mpeg", "video/webm; codecs=vp8", "application/ogg", "application/pdf"] {
            assert!(is_played(mime), "{mime}");
        }
        for mime in ["text/html", "image/svg+xml", "image/png", "video/mp4; a=b, text/html", "x/video/mp4", ""] {
            assert!(!is_played(mime), "{mime}");
        }
    }
}
