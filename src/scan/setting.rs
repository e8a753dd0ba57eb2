//! The setting `SCANNER`.

use http::Uri;
use url::Url;

/// Where a scanner is, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanner {
    /// `clamd://HOST:PORT`: ClamAV's daemon.
    Clamd(Address),
    /// `https://…` or `http://…`: a scanner that takes files by POST.
    Http(Uri),
}

/// A host, as URLs have it, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

const NOT_A_SCANNER: &str = "must be clamd://HOST:PORT, https://…, http://…, or off";

impl Scanner {
    /// Reads the setting; none where it is `off`. The error says what is wrong, without the value.
    pub fn parse(setting: &str) -> Result<Option<Self>, String> {
        let setting = setting.trim();
        if setting == "off" {
            return Ok(None);
        }
        let url = Url::parse(setting).map_err(|_| NOT_A_SCANNER)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("may hold no user and no fragment".to_owned());
        }
        match url.scheme() {
            "clamd" => Ok(Some(Self::Clamd(address(&url).ok_or("must be clamd://HOST:PORT, with nothing behind")?))),
            "http" | "https" => Ok(Some(Self::Http(Uri::try_from(url.as_str()).map_err(|_| NOT_A_SCANNER)?))),
            _ => Err(NOT_A_SCANNER.to_owned()),
        }
    }
}

fn address(url: &Url) -> Option<Address> {
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        return None;
    }
    let host = url.host_str().filter(|host| !host.is_empty())?.to_owned();
    Some(Address { host, port: url.port().filter(|port| *port > 0)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clamd(host: &str, port: u16) -> Scanner {
        Scanner::Clamd(Address { host: host.to_owned(), port })
    }

    #[test]
    fn the_scheme_tells_the_scanner() {
        assert_eq!(Scanner::parse("off"), Ok(None));
        assert_eq!(Scanner::parse(" clamd://127.0.0.1:3310 "), Ok(Some(clamd("127.0.0.1", 3310))));
        assert_eq!(Scanner::parse("clamd://clamav.internal:80/"), Ok(Some(clamd("clamav.internal", 80))));
        assert_eq!(Scanner::parse("clamd://[::1]:3310"), Ok(Some(clamd("[::1]", 3310))));
        for url in ["https://scanner.example/v1?key=k", "http://127.0.0.1:8080/"] {
            assert_eq!(Scanner::parse(url), Ok(Some(Scanner::Http(Uri::from_static(url)))));
        }
    }

    #[test]
    fn what_is_no_scanner_is_refused_without_its_value() {
        for setting in [
            "",
            "on",
            "secret",
            "clamd://",
            "clamd://secret",
            "clamd://secret:0",
            "clamd://secret:65536",
            "clamd://:3310",
            "clamd://secret:3310/x",
            "clamd://secret:3310?x",
            "clamd://u:secret@h:3310",
            "clamd:secret:3310",
            "https://",
            "https://secret@h/",
            "https://h/#secret",
            "tcp://secret:3310",
        ] {
            let error = Scanner::parse(setting).expect_err(setting);
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
