//! The list of what is in a folder, as HTML for people who come with a browser.

use std::fmt::Write;

use http::{HeaderValue, Method, Response, StatusCode, header};
use quick_xml::escape::escape;

use crate::body::Body;
use crate::date::iso8601;
use crate::dav::request::Request;
use crate::dav::request::path::encode_segment;
use crate::error::Result;
use crate::page::Page;
use crate::ports::Chunks;
use crate::store::{Listing, Node, View};

/// The members that the page shows.
const MOST: usize = 5_000;

/// What the page needs of the members: HEAD, which sync clients send as a mere question, reads none.
pub fn needs(method: &Method) -> Listing {
    match *method {
        Method::HEAD => Listing::Nothing,
        _ => Listing::Members(String::new(), i64::try_from(MOST + 1).unwrap_or(i64::MAX)),
    }
}

/// The page of the view's folder: folders first, both in the order of their names.
pub fn answer(request: &Request<'_>, view: &View) -> Result<Response<Body>> {
    let names = view.trail()?.names();
    let title = names.last().map_or(request.cx.config.webdav_name.as_str(), String::as_str);
    let mut members: Vec<&Node> = view.listing.iter().take(MOST).collect();
    members.sort_by_cached_key(|node| (!node.is_folder(), node.name.to_lowercase()));

    let mut html = format!(
        "<h1>{}</h1>\n<table>\n<thead><tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr></thead>\n<tbody>\n",
        escape(title)
    );
    if let Some((_, parent)) = names.split_last() {
        let parent = request.href(parent, true);
        let _ = writeln!(html, "<tr><td><a href=\"{}\">Up</a></td><td></td><td></td></tr>", escape(parent));
    }
    let base = request.href(names, true);
    for node in members {
        write_row(&mut html, &base, node);
    }
    html.push_str("</tbody></table>\n");
    match view.listing.len() {
        0 => html.push_str("<p>Nothing is here yet.</p>\n"),
        number if number > MOST => {
            let _ = writeln!(html, "<p>There is more than these {}.</p>", grouped(MOST as u64));
        }
        _ => {}
    }

    let mut response = Page::new(title, &html).wide().answer(StatusCode::OK);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if request.cx.method == Method::HEAD {
        // How long the page is, only GET knows (RFC 9110, 8.6 and 9.3.2).
        *response.body_mut() = Body::stream(None, Box::new(Chunks::new([])));
    }
    Ok(response)
}

fn write_row(html: &mut String, base: &str, node: &Node) {
    let slash = if node.is_folder() { "/" } else { "" };
    let href = format!("{base}{}{slash}", encode_segment(&node.name));
    let size = node.size.unsigned_abs();
    let modified = iso8601(node.modified_at);
    // Writing to a string does not fail.
    let _ = writeln!(
        html,
        "<tr><td><a href=\"{}\">{}{slash}</a></td><td title=\"{} bytes\">{}</td>\
         <td><time datetime=\"{modified}\">{}</time></td></tr>",
        escape(href),
        escape(&node.name),
        grouped(size),
        readable(size),
        modified.get(..16).unwrap_or_default().replace('T', " "),
    );
}

/// `1,234,567`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.2 MB`: three digits at most, in powers of 1,000.
fn readable(bytes: u64) -> String {
    let bytes = u128::from(bytes);
    let mut size = 1_000;
    for unit in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        let rounded = |times: u128| (bytes * times + size / 2) / size;
        let (whole, tenths) = (rounded(1), rounded(10));
        if bytes < 1_000 {
            break;
        } else if tenths < 1_000 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        } else if whole < 1_000 {
            return format!("{whole} {unit}");
        }
        size *= 1_000;
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_249, "1.2 kB"),
            (1_250, "1.3 kB"),
            (99_949, "99.9 kB"),
            (99_950, "100 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (1_234_567, "1.2 MB"),
            (12_345_678, "12.3 MB"),
            (5_000_000_000, "5.0 GB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(readable(bytes), text, "{bytes}");
        }
    }

    #[test]
    fn bytes_are_told_in_groups() {
        let told = [0, 999, 1_000, 1_234_567].map(grouped);
        assert_eq!(told, ["0", "999", "1,000", "1,234,567"]);
    }
}
