//! Where the bucket is and who may use it.

use rusty_s3::{Bucket, Credentials, UrlStyle};
use url::Url;

/// A bucket, and the key pair that may read, write and delete its objects.
#[derive(Clone)]
pub struct Settings {
    pub(super) bucket: Bucket,
    pub(super) credentials: Credentials,
}

/// What is wrong with a setting, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsError {
    /// The address of the store.
    Endpoint(&'static str),
    /// The name of the bucket.
    Bucket(&'static str),
}

impl Settings {
    /// Settings for `bucket` at `endpoint`, `http(s)://HOST[:PORT]`. A host that begins with the
    /// bucket's name is addressed as a virtual host, any other by path.
    pub fn new(
        endpoint: &str,
        bucket: &str,
        region: &str,
        key_id: &str,
        secret_key: &str,
    ) -> Result<Self, SettingsError> {
        check_name(bucket)?;
        let (endpoint, style) = split_endpoint(endpoint, bucket)?;
        let bucket = Bucket::new(endpoint, style, bucket.to_owned(), region.to_owned())
            .map_err(|_| SettingsError::Endpoint(NOT_AN_ENDPOINT))?;
        Ok(Self { bucket, credentials: Credentials::new(key_id, secret_key) })
    }
}

const NOT_AN_ENDPOINT: &str = "must be http:// or https://, a host, and perhaps a port, with nothing behind";

/// The rules for bucket names, as far as they matter in a URL.
fn check_name(name: &str) -> Result<(), SettingsError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if !(3..=63).contains(&name.len()) || !name.chars().all(plain) || name.starts_with('.') || name.contains("..") {
        return Err(SettingsError::Bucket("must be 3 to 63 lower-case letters, digits, '-' and '.'"));
    }
    Ok(())
}

/// The store's own address, and whether the bucket was part of what was given.
fn split_endpoint(endpoint: &str, bucket: &str) -> Result<(Url, UrlStyle), SettingsError> {
    let mut url = Url::parse(endpoint.trim()).map_err(|_| SettingsError::Endpoint(NOT_AN_ENDPOINT))?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let Some(host) = url.host_str().filter(|_| plain) else {
        return Err(SettingsError::Endpoint(NOT_AN_ENDPOINT));
    };
    let Some(store) = host.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('.')) else {
        return Ok((url, UrlStyle::Path));
    };
    let store = store.to_owned();
    url.set_host(Some(&store)).map_err(|_| SettingsError::Endpoint(NOT_AN_ENDPOINT))?;
    Ok((url, UrlStyle::VirtualHost))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(endpoint: &str, bucket: &str) -> Result<String, SettingsError> {
        Settings::new(endpoint, bucket, "r", "id", "secret").map(|settings| settings.bucket.base_url().to_string())
    }

    #[test]
    fn the_host_tells_how_the_bucket_is_addressed() {
        assert_eq!(base("http://127.0.0.1:8333", "drive").unwrap(), "http://127.0.0.1:8333/drive/");
        assert_eq!(base("https://s3.example/", "drive").unwrap(), "https://s3.example/drive/");
        assert_eq!(base("https://drive.s3.example", "drive").unwrap(), "https://drive.s3.example/");
        assert_eq!(base("https://my.drive.s3.example:9", "my.drive").unwrap(), "https://my.drive.s3.example:9/");
        assert_eq!(base("https://drives.s3.example", "drive").unwrap(), "https://drives.s3.example/drive/");
    }

    #[test]
    fn what_is_no_address_or_no_bucket_is_refused() {
        for endpoint in [
            "",
            "s3.example",
            "ftp://s3.example",
            "https://s3.example/x",
            "https://s3.example/?q",
            "https://u:p@s3.example",
        ] {
            assert_eq!(base(endpoint, "drive"), Err(SettingsError::Endpoint(NOT_AN_ENDPOINT)), "{endpoint}");
        }
        for bucket in ["", "ab", "Drive", "a/b", "../..", "a..b", &"a".repeat(64)] {
            assert!(matches!(base("https://s3.example", bucket), Err(SettingsError::Bucket(_))), "{bucket}");
        }
    }
}
