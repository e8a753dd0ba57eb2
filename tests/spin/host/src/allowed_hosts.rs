//! `allowed_outbound_hosts`: patterns `SCHEME://HOST[:PORT]`, matched as Spin matches them.

use std::net::SocketAddr;
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use url::Url;

/// Where a component may send requests to.
#[derive(Debug)]
pub struct AllowedHosts(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    scheme: Scheme,
    host: Host,
    port: Port,
}

#[derive(Debug)]
enum Scheme {
    Any,
    Only(String),
}

#[derive(Debug)]
enum Host {
    Any,
    /// `*.example.com`, kept as `.example.com`.
    Subdomain(String),
    /// `self`: this application.
    Itself,
    Only(String),
}

#[derive(Debug)]
enum Port {
    Any,
    Only(u16),
    Range(Range<u16>),
}

impl AllowedHosts {
    /// Reads the patterns, whose templates have been filled.
    pub fn parse(patterns: &[String]) -> Result<Self> {
        patterns
            .iter()
            .map(|pattern| Pattern::parse(pattern).with_context(|| format!("allowed_outbound_hosts: {pattern:?}")))
            .collect::<Result<_>>()
            .map(Self)
    }

    /// Whether a request may go to this URL. Hosts are names or addresses, compared as written: `localhost` is not
    /// `127.0.0.1`.
    pub fn allow(&self, url: &Url) -> bool {
        self.0.iter().any(|pattern| pattern.allows(url))
    }

    /// Whether a socket may connect there. Its scheme is `tcp` or `udp`, and names do not count: a pattern has the address.
    pub fn allow_socket(&self, scheme: &str, address: SocketAddr) -> bool {
        Url::parse(&format!("{scheme}://{address}")).is_ok_and(|url| self.allow(&url))
    }

    /// Whether the component may send requests to the application that it belongs to.
    pub fn allow_self(&self) -> bool {
        self.0.iter().any(|Pattern { scheme, host, .. }| {
            matches!(host, Host::Any | Host::Itself) && (scheme.allows("http") || scheme.allows("https"))
        })
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Result<Self> {
        let (scheme, rest) =
            pattern.trim().split_once("://").context("this has no scheme (such as 'http://' or '*://')")?;
        let (host, rest) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let (port, path) = rest.split_once('/').unwrap_or((rest, ""));
        ensure!(path.is_empty(), "a path is not allowed here");
        Ok(Self { scheme: Scheme::parse(scheme)?, host: Host::parse(host)?, port: Port::parse(port, scheme)? })
    }

    fn allows(&self, url: &Url) -> bool {
        self.scheme.allows(url.scheme())
            && url.host_str().is_some_and(|host| self.host.allows(host))
            && self.port.allows(url.port_or_known_default())
    }
}

impl Scheme {
    fn parse(scheme: &str) -> Result<Self> {
        if scheme == "*" {
            return Ok(Self::Any);
        }
        ensure!(scheme.chars().all(char::is_alphabetic), "the scheme {scheme:?} has other characters than letters");
        Ok(Self::Only(scheme.to_owned()))
    }

    fn allows(&self, scheme: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(only) => only == scheme,
        }
    }
}

impl Host {
    fn parse(host: &str) -> Result<Self> {
        let host = host.trim();
        let name = host.trim_end_matches('/');
        Ok(match host {
            "*" => Self::Any,
            "self" | "self.alt" => Self::Itself,
            _ if name.contains('/') => bail!("this test host knows neither paths nor networks (CIDR) here"),
            _ if name.ends_with(".spin.internal") => bail!("this test host has no service chaining"),
            _ => match name.strip_prefix("*.") {
                Some(domain) if !domain.contains('*') => Self::Subdomain(format!(".{domain}")),
                None if !name.contains('*') => Self::Only(name.to_owned()),
                _ => bail!("wildcards are allowed only as subdomains"),
            },
        })
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Subdomain(suffix) => host.ends_with(suffix),
            Self::Itself => false,
            Self::Only(only) => only == host,
        }
    }
}

impl Port {
    fn parse(port: &str, scheme: &str) -> Result<Self> {
        let number = |text: &str| text.parse().with_context(|| format!("the port {text:?} is not a number"));
        Ok(match (port, scheme) {
            ("*", _) => Self::Any,
            ("", "http") => Self::Only(80),
            ("", "https") => Self::Only(443),
            ("", _) => bail!("a port is missing, and the scheme {scheme:?} has no default"),
            _ => match port.split_once("..") {
                Some((start, end)) => Self::Range(number(start)?..number(end)?),
                None => Self::Only(number(port)?),
            },
        })
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match self {
            Self::Any => true,
            Self::Only(only) => port == Some(*only),
            Self::Range(range) => port.is_some_and(|port| range.contains(&port)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, url: &str) -> bool {
        AllowedHosts::parse(&[pattern.to_owned()]).unwrap().allow(&Url::parse(url).unwrap())
    }

    #[test]
    fn matching() {
        for (pattern, yes, no) in [
            ("http://127.0.0.1:8333", "http://127.0.0.1:8333/a?b", "http://localhost:8333/"),
            ("http://localhost:8333", "http://LOCALHOST:8333", "http://127.0.0.1:8333"),
            ("http://a.example", "http://a.example:80/", "http://a.example:8080/"),
            ("https://a.example", "https://a.example/", "http://a.example/"),
            ("https://a.example/", "https://user:pw@a.example/x@y", "https://b.a.example/"),
            ("https://*.example", "https://a.b.example/", "https://example/"),
            ("https://*.example", "https://a.example", "https://anexample"),
            ("*://a.example:9", "http://a.example:9", "http://a.example"),
            ("*://*:*", "http://a.example:9", "http://[::1]x"),
            ("http://*:8000..8002", "http://x:8001", "http://x:8002"),
            ("http://[::1]:9000", "http://[::1]:9000/", "http://[::2]:9000/"),
            ("http://*", "http://x", "http://x:81"),
            ("http://self", "", "http://self"),
        ] {
            assert!(yes.is_empty() || allows(pattern, yes), "{pattern} must allow {yes}");
            assert!(Url::parse(no).is_err() || !allows(pattern, no), "{pattern} must not allow {no}");
        }
        assert!(!AllowedHosts::parse(&[]).unwrap().allow(&Url::parse("http://x").unwrap()));
    }

    #[test]
    fn sockets() {
        for (pattern, yes, no) in [
            ("tcp://127.0.0.1:3310", "127.0.0.1:3310", "127.0.0.1:3311"),
            ("*://127.0.0.1:*", "127.0.0.1:1", "127.0.0.2:1"),
            ("tcp://*:3310", "10.0.0.1:3310", "10.0.0.1:80"),
            ("tcp://[::1]:3310", "[::1]:3310", "127.0.0.1:3310"),
            ("clamd://127.0.0.1:3310", "", "127.0.0.1:3310"),
            ("http://127.0.0.1:3310", "", "127.0.0.1:3310"),
            ("udp://127.0.0.1:3310", "", "127.0.0.1:3310"),
            ("tcp://localhost:3310", "", "127.0.0.1:3310"),
        ] {
            let hosts = AllowedHosts::parse(&[pattern.to_owned()]).unwrap();
            assert!(yes.is_empty() || hosts.allow_socket("tcp", yes.parse().unwrap()), "{pattern} must allow {yes}");
            assert!(!hosts.allow_socket("tcp", no.parse().unwrap()), "{pattern} must not allow {no}");
        }
    }

    #[test]
    fn requests_to_itself() {
        for (pattern, expected) in
            [("http://self", true), ("*://*:*", true), ("http://x", false), ("ftp://self:1", false)]
        {
            assert_eq!(AllowedHosts::parse(&[pattern.to_owned()]).unwrap().allow_self(), expected, "{pattern}");
        }
    }

    #[test]
    fn refusals() {
        for (pattern, reason) in [
            ("127.0.0.1:8333", "has no scheme"),
            ("insecure:allow-all", "has no scheme"),
            ("http://a/b", "knows neither paths"),
            ("http://a:80/b", "a path is not allowed"),
            ("http://10.0.0.0/8:80", "knows neither paths nor networks"),
            ("http://a.*.b", "wildcards"),
            ("http://*.*.b", "wildcards"),
            ("http://b.spin.internal", "service chaining"),
            ("http://a:port", "\"port\" is not a number"),
            ("http://a:65536", "\"65536\" is not a number"),
            ("ftp://a", "no default"),
            ("h2+x://a:1", "other characters than letters"),
        ] {
            let message = format!("{:#}", AllowedHosts::parse(&[pattern.to_owned()]).unwrap_err());
            assert!(message.contains(reason), "{message}");
        }
    }
}
