//! Lists in pages: `limit` and `cursor` in, `nextCursor` and a `Link` (RFC 8288) out.

use data_encoding::BASE64URL_NOPAD;
use http::{HeaderValue, Response, header};
use serde_json::{Value, json};

use super::{json, parse_id};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};

/// Entries in a page where the client names no number, and at most: scripts that know nothing of
/// pages see all that a person has.
const MOST: i64 = 10_000;

/// Which page a client asks for.
pub struct Page {
    /// How many entries at most.
    pub limit: i64,
    /// The key of the last entry before the page; empty for the first page.
    after: String,
}

impl Page {
    /// From the query: 400 where it makes no sense.
    pub fn of(cx: &Context<'_>) -> Result<Self> {
        let limit = match cx.query("limit") {
            None => MOST,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| (1..=MOST).contains(n))
                .ok_or_else(|| Error::bad(format!("limit must be a number from 1 to {MOST}")))?,
        };
        let after = match cx.query("cursor") {
            None => String::new(),
            Some(cursor) => BASE64URL_NOPAD
                .decode(cursor.as_bytes())
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(not_a_cursor)?,
        };
        Ok(Self { limit, after })
    }

    /// The key where it is a name.
    pub fn after_name(&self) -> String {
        self.after.clone()
    }

    /// The key where it is a number.
    pub fn after_number(&self) -> Result<i64> {
        if self.after.is_empty() { Ok(0) } else { parse_id(&self.after, "").map_err(|_| not_a_cursor()) }
    }

    /// Cuts off what was read to see whether there is more, and gives the next page's cursor.
    pub fn cut<T>(&self, mut entries: Vec<T>, key: impl Fn(&T) -> String) -> (Vec<T>, Option<String>) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        if entries.len() <= limit {
            return (entries, None);
        }
        entries.truncate(limit);
        let next = entries.last().map(|last| BASE64URL_NOPAD.encode(key(last).as_bytes()));
        (entries, next)
    }
}

fn not_a_cursor() -> Error {
    Error::bad("cursor is not one that this server gave")
}

/// The page `entries` under `key`, with the way to the next one.
pub fn answer(cx: &Context<'_>, key: &str, entries: Vec<Value>, next: Option<&str>) -> Response<Body> {
    let link = next.and_then(|cursor| next_link(cx, cursor));
    let mut body = json!({ "nextCursor": next });
    body[key] = Value::Array(entries);
    let mut response = json::ok(&body);
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The same query with another cursor. Relative, since a proxy may know us by another address.
fn next_link(cx: &Context<'_>, cursor: &str) -> Option<HeaderValue> {
    let query = cx.uri.query().unwrap_or_default();
    let mut next = form_urlencoded::Serializer::new(String::new());
    next.extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "cursor"));
    let query = next.append_pair("cursor", cursor).finish();
    HeaderValue::try_from(format!("<?{query}>; rel=\"next\"")).ok()
}
