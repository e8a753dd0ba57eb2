//! Settings, read and validated once, with a clear sentence for each that is wrong.

use std::rc::Rc;

use http::HeaderValue;

use crate::crypto::MasterKeys;
use crate::s3;
use crate::scan::Scanner;

/// All settings; `docs/settings.md` describes them for people.
pub struct Config {
    /// `ENCRYPTION_KEYS`: the keys that wrap the blobs' keys.
    pub keys: Rc<MasterKeys>,
    /// `ADMIN_TOKEN`: the bearer of the administration interface. Without it, there is none.
    pub admin_token: Option<String>,
    /// `WEBDAV_NAME`: the name that clients show for the mount.
    pub webdav_name: String,
    /// `VERSIONS_KEPT` and `TRASH_DAYS`: how many earlier contents of a file are kept, and for how many days what was deleted.
    pub kept: Kept,
    /// `PROPFIND_LIMIT`: entries that a PROPFIND of infinite depth may list.
    pub propfind_limit: i64,
    /// `SERVER_TIMING=1`: answers tell their SQL round trips and rows read.
    pub server_timing: bool,
    /// `BLOB_GRACE_SECONDS`: how long a blob stays when nothing names it any more.
    pub blob_grace_seconds: i64,
    /// `WEBHOOK_ALLOW_PRIVATE=1`: webhooks may reach private addresses. For tests.
    pub webhook_allow_private: bool,
    /// `CORS_ORIGINS`: whose programs in a browser may use the interfaces.
    pub cors_origins: Origins,
    /// `SCANNER`: the virus scanner that files are shown to; none where it is `off`.
    pub scanner: Option<Scanner>,
    /// `SCAN_INLINE_MAX`: uploads up to so many bytes are scanned before they are stored.
    pub scan_inline_max: u64,
    /// `SCAN_PENDING=block`: what waits for the scanner, or what it could not judge, cannot be read.
    pub block_unscanned: bool,
    /// `BLOBS=s3` and the settings that begin with `S3_`: the bucket that holds the bytes. Without
    /// it, they are in the runtime's own object store.
    pub s3: Option<s3::Settings>,
}

/// Which origins (RFC 6454) something is open to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// None but our own.
    None,
    /// All.
    Any,
    /// These, as browsers write them: `https://app.example`.
    Listed(Vec<String>),
}

impl Origins {
    /// Whether it is open to the origin that a request says.
    pub fn include(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Listed(listed) => listed.iter().any(|one| one.as_bytes() == origin.as_bytes()),
        }
    }
}

/// How much is kept of what was.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Earlier contents of a file.
    pub versions: i64,
    /// Days that deletions can be taken back; 0 where they are final.
    pub trash_days: i64,
}

/// The names of all settings.
pub const SETTINGS: [&str; 19] = [
    "ENCRYPTION_KEYS",
    "ADMIN_TOKEN",
    "WEBDAV_NAME",
    "VERSIONS_KEPT",
    "TRASH_DAYS",
    "PROPFIND_LIMIT",
    "SERVER_TIMING",
    "BLOB_GRACE_SECONDS",
    "WEBHOOK_ALLOW_PRIVATE",
    "CORS_ORIGINS",
    "SCANNER",
    "SCAN_INLINE_MAX",
    "SCAN_PENDING",
    "BLOBS",
    "S3_ENDPOINT",
    "S3_BUCKET",
    "S3_REGION",
    "S3_ACCESS_KEY_ID",
    "S3_SECRET_ACCESS_KEY",
];

/// What paths of the program begin with.
const PATHS: [&str; 14] = [
    "204",
    "api",
    "dav",
    "f",
    "graph",
    "healthz",
    "index.php",
    "internal",
    "login",
    "ocs",
    "readyz",
    "remote.php",
    "status.php",
    "webdav",
];

/// A setting that is missing or wrong.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    /// The name of the setting.
    pub setting: &'static str,
    /// What is wrong with it, without its value.
    pub problem: String,
}

impl Config {
    /// Reads all settings through `var`, which gives the value of a name where it is set.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let var = |name: &str| var(name).filter(|value| !value.trim().is_empty());
        let keys = var("ENCRYPTION_KEYS").ok_or_else(|| ConfigError {
            setting: "ENCRYPTION_KEYS",
            problem: "is not set; make one with: echo \"k1:$(openssl rand -base64 32)\"".to_owned(),
        })?;
        let keys = MasterKeys::parse(&keys).map_err(|problem| ConfigError { setting: "ENCRYPTION_KEYS", problem })?;

        let admin_token = var("ADMIN_TOKEN");
        if admin_token.as_ref().is_some_and(|token| token.len() < 24) {
            return Err(ConfigError { setting: "ADMIN_TOKEN", problem: "is shorter than 24 characters".to_owned() });
        }

        let webdav_name = var("WEBDAV_NAME").unwrap_or_else(|| "OpenCoper".to_owned());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if webdav_name.len() > 64 || !webdav_name.chars().all(plain) || webdav_name.starts_with('.') {
            return Err(ConfigError {
                setting: "WEBDAV_NAME",
                problem: "may hold up to 64 letters, digits, '-', '_' and '.', and not begin with '.'".to_owned(),
            });
        }
        if PATHS.contains(&webdav_name.as_str()) {
            return Err(ConfigError {
                setting: "WEBDAV_NAME",
                problem: format!("{webdav_name} is a path of the program"),
            });
        }

        Ok(Self {
            keys: Rc::new(keys),
            admin_token,
            webdav_name,
            kept: Kept {
                versions: number(&var, "VERSIONS_KEPT", 10, 0, 1_000)?,
                trash_days: number(&var, "TRASH_DAYS", 30, 0, 3_650)?,
            },
            propfind_limit: number(&var, "PROPFIND_LIMIT", 10_000, 1, 100_000)?,
            server_timing: number(&var, "SERVER_TIMING", 0, 0, 1)? == 1,
            blob_grace_seconds: number(&var, "BLOB_GRACE_SECONDS", 3_600, 0, 30 * 86_400)?,
            webhook_allow_private: number(&var, "WEBHOOK_ALLOW_PRIVATE", 0, 0, 1)? == 1,
            cors_origins: var("CORS_ORIGINS").map_or(Ok(Origins::None), |origins| self::origins(&origins))?,
            scanner: match var("SCANNER") {
                None => None,
                Some(scanner) => {
                    Scanner::parse(&scanner).map_err(|problem| ConfigError { setting: "SCANNER", problem })?
                }
            },
            scan_inline_max: number(&var, "SCAN_INLINE_MAX", 8 << 20, 0, 64 << 20)?.unsigned_abs(),
            block_unscanned: match var("SCAN_PENDING").as_deref() {
                None | Some("allow") => false,
                Some("block") => true,
                Some(_) => {
                    return Err(ConfigError { setting: "SCAN_PENDING", problem: "must be allow or block".to_owned() });
                }
            },
            s3: match var("BLOBS").as_deref() {
                None | Some("r2") => None,
                Some("s3") => Some(bucket(&var)?),
                Some(_) => return Err(ConfigError { setting: "BLOBS", problem: "must be r2 or s3".to_owned() }),
            },
        })
    }
}

/// The origins of a list with commas or spaces between them, or `*`.
fn origins(text: &str) -> Result<Origins, ConfigError> {
    if text.trim() == "*" {
        return Ok(Origins::Any);
    }
    let origins: Option<Vec<String>> =
        text.split([',', ' ']).filter(|origin| !origin.is_empty()).map(serialized_origin).collect();
    let wrong = "must be * or a list of origins like https://app.example, without a slash at the end";
    origins
        .filter(|origins| !origins.is_empty())
        .map(Origins::Listed)
        .ok_or_else(|| ConfigError { setting: "CORS_ORIGINS", problem: wrong.to_owned() })
}

/// The origin, if it is written as a browser writes it: it is compared by its bytes.
fn serialized_origin(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    (url.origin().ascii_serialization() == text).then(|| text.to_owned())
}

/// The bucket of an S3-compatible store.
fn bucket(var: &impl Fn(&str) -> Option<String>) -> Result<s3::Settings, ConfigError> {
    let required = |setting: &'static str| {
        var(setting).ok_or_else(|| ConfigError { setting, problem: "is not set, and BLOBS is s3".to_owned() })
    };
    s3::Settings::new(
        &required("S3_ENDPOINT")?,
        &required("S3_BUCKET")?,
        &var("S3_REGION").unwrap_or_else(|| "us-east-1".to_owned()),
        &required("S3_ACCESS_KEY_ID")?,
        &required("S3_SECRET_ACCESS_KEY")?,
    )
    .map_err(|error| {
        let (setting, problem) = match error {
            s3::SettingsError::Endpoint(problem) => ("S3_ENDPOINT", problem),
            s3::SettingsError::Bucket(problem) => ("S3_BUCKET", problem),
        };
        ConfigError { setting, problem: problem.to_owned() }
    })
}

fn number(
    var: &impl Fn(&str) -> Option<String>,
    setting: &'static str,
    default: i64,
    min: i64,
    max: i64,
) -> Result<i64, ConfigError> {
    let Some(value) = var(setting) else { return Ok(default) };
    value
        .trim()
        .parse()
        .ok()
        .filter(|n| (min..=max).contains(n))
        .ok_or_else(|| ConfigError { setting, problem: format!("must be a whole number from {min} to {max}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const S3: [(&str, &str); 5] = [
        ("BLOBS", "s3"),
        ("S3_ENDPOINT", "https://s3.example"),
        ("S3_BUCKET", "drive"),
        ("S3_ACCESS_KEY_ID", "id"),
        ("S3_SECRET_ACCESS_KEY", "secret"),
    ];

    fn read(vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let key = format!("k1:{}", data_encoding::BASE64.encode(&[7; 32]));
        Config::read(|name| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
                .or_else(|| (name == "ENCRYPTION_KEYS").then(|| key.clone()))
        })
    }

    #[test]
    fn defaults_hold_where_nothing_is_set() {
        let config = read(&[]).unwrap();
        assert_eq!(config.webdav_name, "OpenCoper");
        assert_eq!(config.kept.versions, 10);
        assert!(config.admin_token.is_none());
        assert!(config.s3.is_none());
        assert!(read(&S3).unwrap().s3.is_some());
    }

    #[test]
    fn origins_are_a_list_or_all() {
        let origins = |text| read(&[("CORS_ORIGINS", text)]).unwrap().cors_origins;
        assert_eq!(read(&[]).unwrap().cors_origins, Origins::None);
        assert_eq!(origins(" * "), Origins::Any);
        let listed = ["https://app.example", "http://localhost:3000", "http://[::1]:80"];
        assert!(read(&[("CORS_ORIGINS", listed[2])]).is_err(), "the default port is left out");
        assert_eq!(
            origins(" https://app.example,http://localhost:3000 "),
            Origins::Listed(listed[..2].iter().map(|one| (*one).to_owned()).collect())
        );
    }

    #[test]
    fn every_setting_that_is_read_has_its_name_in_the_list() {
        let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let given = [("ENCRYPTION_KEYS", "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")];
        let read = Config::read(|name| {
            asked.borrow_mut().insert(name.to_owned());
            given.iter().chain(&S3).find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        });
        assert!(read.is_ok());
        assert_eq!(*asked.borrow(), SETTINGS.map(str::to_owned).into());
    }

    #[test]
    fn spin_passes_every_setting_on() {
        let manifest = include_str!("../spin.toml");
        for setting in SETTINGS.iter().filter(|setting| **setting != "BLOBS") {
            let name = setting.to_ascii_lowercase();
            let declared = manifest.lines().find(|line| line.starts_with(&format!("{name} = {{")));
            let declared = declared.unwrap_or_else(|| panic!("spin.toml does not declare {name}"));
            let is_secret =
                ["key", "token", "scanner"].iter().any(|word| name.contains(word)) && name != "s3_access_key_id";
            assert_eq!(declared.contains("secret = true"), is_secret, "{declared}");
            assert!(manifest.contains(&format!("\n{name} = \"{{{{ {name} }}}}\"\n")), "the component lacks {name}");
        }
    }

    #[test]
    fn a_wrong_setting_is_named_without_its_value() {
        for (name, value) in [
            ("ENCRYPTION_KEYS", " "),
            ("ENCRYPTION_KEYS", "k1:c2VjcmV0"),
            ("ADMIN_TOKEN", "secret"),
            ("WEBDAV_NAME", "secret/"),
            ("WEBDAV_NAME", "dav"),
            ("VERSIONS_KEPT", "-1"),
            ("TRASH_DAYS", "a month"),
            ("PROPFIND_LIMIT", "many"),
            ("CORS_ORIGINS", "secret.example"),
            ("CORS_ORIGINS", "https://secret.example/"),
            ("CORS_ORIGINS", "https://Secret.example"),
            ("CORS_ORIGINS", "https://secret.example:443"),
            ("CORS_ORIGINS", "https://app.example, *"),
            ("CORS_ORIGINS", "null"),
            ("CORS_ORIGINS", ","),
            ("SCANNER", "clamd://secret"),
            ("SCAN_INLINE_MAX", "65M"),
            ("SCAN_PENDING", "secret"),
            ("BLOBS", "secret"),
            ("S3_ENDPOINT", " "),
            ("S3_ENDPOINT", "https://user:secret@s3.example"),
            ("S3_BUCKET", "secret/.."),
            ("S3_ACCESS_KEY_ID", ""),
            ("S3_SECRET_ACCESS_KEY", ""),
        ] {
            let Err(error) = read(&[&[(name, value)], &S3[..]].concat()) else { panic!("{name}={value} was taken") };
            assert_eq!(error.setting, name);
            assert!(!error.to_string().contains("secret") && !error.to_string().contains("c2Vj"));
        }
    }
}
