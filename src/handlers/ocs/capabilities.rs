//! `cloud/capabilities`: exactly what works, since clients use whatever is announced.

use http::header;
use serde_json::{Value, json};

use crate::context::Context;
use crate::handlers::status;
use crate::handlers::version::VERSION;

/// Bytes of a chunk: Cloudflare refuses bodies over 100 MB on most plans, before the program sees them.
const MOST_IN_CHUNK: u64 = 50 << 20;

/// The first version of Nextcloud's desktop client that may be told of bulk uploads: the ones before break off a body with an
/// empty file in it, and never get any file of it through (nextcloud/desktop, pull request 5871).
const BULK_SINCE: (u32, u32) = (3, 10);

/// What the server can. Whoever asks may know.
pub fn show(cx: &Context<'_>) -> Value {
    let [major, minor, micro] = VERSION;
    let name = &cx.config.webdav_name;
    let mut dav = json!({ "chunking": "1.0" });
    if cx.header(header::USER_AGENT.as_str()).and_then(desktop_version).is_none_or(|version| version >= BULK_SINCE) {
        dav["bulkupload"] = "1.0".into();
    }
    json!({
        "version": {
            "major": major,
            "minor": minor,
            "micro": micro,
            "string": format!("{major}.{minor}.{micro}"),
            "edition": "",
            "extendedSupport": false,
        },
        "capabilities": {
            "core": { "pollinterval": 60, "webdav-root": "remote.php/webdav", "status": status::show() },
            "dav": dav,
            "files": {
                "bigfilechunking": true,
                "blacklisted_files": [],
                "chunked_upload": { "max_size": MOST_IN_CHUNK, "max_parallel_count": 5 },
                "undelete": cx.config.kept.trash_days > 0,
                "delete_from_trash": cx.config.kept.trash_days > 0,
                "versioning": cx.config.kept.versions > 0,
            },
            "checksums": { "supportedTypes": ["SHA1", "MD5", "SHA256", "ADLER32"], "preferredUploadType": "SHA1" },
            "files_sharing": { "api_enabled": false },
            "theming": { "name": name, "productName": name },
        },
    })
}

/// Major and minor version of a desktop client, which calls itself `mirall/3.7.3git`, among other things.
fn desktop_version(user_agent: &str) -> Option<(u32, u32)> {
    let (_, version) = user_agent.split_once("mirall/")?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::desktop_version;

    #[test]
    fn a_desktop_client_tells_its_version() {
        assert_eq!(desktop_version("Mozilla/5.0 (Linux) mirall/3.7.3git (Nextcloud, debian-6.1)"), Some((3, 7)));
        assert_eq!(desktop_version("mirall/3.13.0"), Some((3, 13)));
        for other in ["", "Firefox/3.7", "mirall/", "mirall/x.y", "mirall/3", "mirall/99999999999.1"] {
            assert_eq!(desktop_version(other), None, "{other}");
        }
    }
}
