//! One request, what it works with, and where its client reaches us.

use std::net::IpAddr;
use std::rc::Rc;

use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, Uri, header};

use crate::auth;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ports::Ports;
use crate::store::{Credentials, Drive, Meter};

/// The longest X-Forwarded-Prefix that is believed, in bytes.
const MAX_PREFIX: usize = 256;

/// One request without its body.
pub struct Context<'a> {
    /// The settings.
    pub config: &'a Config,
    /// The runtime.
    pub ports: &'a Ports,
    /// Counts the request's SQL.
    pub meter: Rc<Meter>,
    /// The method.
    pub method: Method,
    /// The target.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
}

impl Context<'_> {
    /// The drive that the request's token names, and the token. 401 where there is none, 403 where a page of another
    /// origin has a browser send it; nothing is read yet.
    pub fn drive(&self) -> Result<(Drive, Credentials)> {
        let credentials = auth::credentials(&self.headers)?;
        if self.is_forged() {
            return Err(Error::Forbidden("this page may not use the login that the browser remembers".to_owned()));
        }
        Ok((self.drive_of(credentials.account), credentials))
    }

    /// Whether a page of another origin has the browser change something with the login that it remembers for us, which no
    /// form needs a preflight for. Programs that send a token themselves name an origin that is allowed; extensions of
    /// browsers have schemes of their own (Fetch Metadata Request Headers, 2.3).
    fn is_forged(&self) -> bool {
        let foreign = matches!(self.header("sec-fetch-site"), Some("cross-site" | "same-site"));
        let is_page = self.headers.get(header::ORIGIN).is_none_or(|origin| {
            let is_of_the_web = origin == "null" || origin.as_bytes().starts_with(b"http");
            is_of_the_web && !self.config.cors_origins.include(origin)
        });
        foreign && is_page && !self.method.is_safe() && auth::is_basic(&self.headers)
    }

    /// The drive of an account.
    pub fn drive_of(&self, account: i64) -> Drive {
        Drive::open(self.ports, &self.meter, account, self.config.kept)
    }

    /// A header as text; none where it is absent or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What proxies say of the client in a header like X-Forwarded-Host. Each adds to a list; the first entry is of the proxy
    /// that the client talks to.
    pub fn forwarded(&self, name: &str) -> Option<&str> {
        let first = self.header(name)?.split(',').next()?.trim();
        (!first.is_empty()).then_some(first)
    }

    /// The first value of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query()?;
        form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether a browser shows the answer to a person: no client asks for HTML.
    pub fn is_of_a_browser(&self) -> bool {
        let asks_for_html = self.header(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
        asks_for_html && matches!(self.method, Method::GET | Method::HEAD)
    }

    /// What a proxy in front of us took off the path, like `/api`: X-Forwarded-Prefix, if it is clean; else nothing. A list
    /// is not: whether its entries follow one another or the first one counts, proxies do not agree.
    pub fn forwarded_prefix(&self) -> &str {
        self.header("x-forwarded-prefix").and_then(clean_prefix).unwrap_or_default()
    }

    /// The URL of the program as the client sees it, like `https://drive.example/api`, without a slash at its end. 400
    /// for a Host that is none.
    ///
    /// The scheme is what a proxy says in X-Forwarded-Proto, or what the runtime knows. Plain HTTP is believed only of an
    /// address that no certificate is made for, since a proxy that ends TLS may not tell.
    pub fn base_url(&self) -> Result<String> {
        let host = match self.headers.get(header::HOST) {
            Some(host) => host.to_str().ok(),
            None => self.uri.authority().map(Authority::as_str),
        };
        let host = host.filter(|host| is_host(host)).ok_or_else(|| Error::bad("the header Host is malformed"))?;
        let scheme = match self.forwarded("x-forwarded-proto") {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => "http",
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
            _ if self.uri.scheme() == Some(&Scheme::HTTP) && is_local(host) => "http",
            _ => "https",
        };
        Ok(format!("{scheme}://{host}{}", self.forwarded_prefix()))
    }
}

/// The prefix, if each of its segments is of unreserved characters (RFC 3986, 2.3): whoever can send the header must not be
/// able to write anything else into URLs.
fn clean_prefix(prefix: &str) -> Option<&str> {
    let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let is_clean =
        |segment: &str| !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(is_unreserved);
    let segments = prefix.strip_prefix('/')?;
    (prefix.len() <= MAX_PREFIX && segments.split('/').all(is_clean)).then_some(prefix)
}

/// Whether it is a name or an address, with or without a port, and nothing else.
fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else { return false };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    !authority.host().is_empty() && text.len() <= MAX_PREFIX && text.bytes().all(is_plain)
}

/// Whether a host is this machine, or an address or name of a private network.
fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    match name.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => name.rsplit_once('.').is_none_or(|(_, last)| matches!(last, "localhost" | "local")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base_url(uri: &str, headers: &[(&str, &str)]) -> Option<String> {
        let key = format!("k1:{}", data_encoding::BASE64.encode(&[7; 32]));
        let config = Config::read(|name| (name == "ENCRYPTION_KEYS").then(|| key.clone())).unwrap();
        let ports = crate::runtime::native::Native::in_memory().ports();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(http::HeaderName::try_from(*name).unwrap(), http::HeaderValue::try_from(*value).unwrap());
        }
        let context = Context {
            config: &config,
            ports: &ports,
            meter: Rc::default(),
            method: Method::GET,
            uri: uri.parse().unwrap(),
            headers: map,
        };
        context.base_url().ok()
    }

    #[test]
    fn the_base_is_scheme_host_and_prefix() {
        for (uri, headers, expected) in [
            ("https://drive.example/x", &[][..], Some("https://drive.example")),
            ("http://127.0.0.1:8787/x", &[("host", "127.0.0.1:8787")], Some("http://127.0.0.1:8787")),
            ("http://x/", &[("host", "[::1]:80")], Some("http://[::1]:80")),
            ("http://x/", &[("host", "192.168.1.5:3000")], Some("http://192.168.1.5:3000")),
            ("http://x/", &[("host", "nas.local")], Some("http://nas.local")),
            ("http://x/", &[("host", "nas:3000")], Some("http://nas:3000")),
            ("http://x/", &[("host", "drive.example")], Some("https://drive.example")),
            ("https://x/", &[("host", "localhost")], Some("https://localhost")),
            ("http://x/", &[("host", "drive.example"), ("x-forwarded-proto", "http")], Some("http://drive.example")),
            ("http://x/", &[("host", "localhost"), ("x-forwarded-proto", "HTTPS")], Some("https://localhost")),
            ("http://x/", &[("host", "localhost"), ("x-forwarded-proto", "ftp")], Some("http://localhost")),
            ("http://x/", &[("host", "nas"), ("x-forwarded-proto", "https, http")], Some("https://nas")),
            ("http://x/", &[("host", "nas"), ("x-forwarded-proto", " http,https")], Some("http://nas")),
            ("http://x/", &[("host", "nas"), ("x-forwarded-proto", ",https")], Some("http://nas")),
            ("http://x/", &[("host", "a.b"), ("x-forwarded-prefix", "/api")], Some("https://a.b/api")),
            ("http://x/", &[("host", "a.b"), ("x-forwarded-prefix", "//evil.example")], Some("https://a.b")),
            ("http://x/", &[("host", "evil.example/a")], None),
            ("http://x/", &[("host", "user@evil.example")], None),
            ("http://x/", &[("host", "a\"b")], None),
            ("http://x/", &[("host", "a b")], None),
            ("http://x/", &[("host", "")], None),
            ("/x", &[], None),
        ] {
            assert_eq!(base_url(uri, headers).as_deref(), expected, "{uri} {headers:?}");
        }
    }

    #[test]
    fn only_a_clean_prefix_is_believed() {
        for prefix in [
            "",
            "/",
            "//",
            "api",
            "//api",
            "/api/",
            "/OpenCoper/",
            "/api//",
            "/a//b",
            "/..",
            "/a/../b",
            "/./a",
            "/a b",
            " /a",
            "/a%20b",
            "/a?b",
            "/a#b",
            "/a,/b",
            "/a\"b",
            "/<a>",
            "/a\r\nb",
            "/é",
            "http://evil/a",
            "/a\\b",
            "/a:b",
            "/a;b",
            "/a&b",
        ] {
            assert_eq!(clean_prefix(prefix), None, "{prefix:?}");
        }
        let longest = format!("/{}", "a".repeat(MAX_PREFIX - 1));
        assert_eq!(clean_prefix(&longest), Some(longest.as_str()));
        assert_eq!(clean_prefix(&format!("{longest}a")), None);
    }

    proptest! {
        #[test]
        fn a_prefix_that_is_believed_is_a_path(prefix in any::<String>(), odd in "[/.a%<-]{0,12}") {
            for prefix in [prefix, odd] {
                if let Some(clean) = clean_prefix(&prefix) {
                    prop_assert!(clean.starts_with('/') && !clean.starts_with("//") && !clean.ends_with('/'));
                    prop_assert!(clean.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._~".contains(&b)));
                }
            }
        }
    }
}
