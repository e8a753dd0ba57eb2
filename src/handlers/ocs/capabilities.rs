//! `cloud/capabilities`: exactly what works, since clients use whatever is announced.

use serde_json::{Value, json};

use crate::context::Context;

/// The version of Nextcloud that this interface follows.
pub const VERSION: [u32; 3] = [31, 0, 0];

/// The same as clients compare it.
pub const PRODUCT_VERSION: &str = "31.0.0.0";

/// Bytes of a chunk: Cloudflare refuses bodies over 100 MB on most plans, before the program sees them.
const MOST_IN_CHUNK: u64 = 50 << 20;

/// What the server can. Whoever asks may know.
pub fn show(cx: &Context<'_>) -> Value {
    let [major, minor, micro] = VERSION;
    let name = &cx.config.webdav_name;
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
            "core": { "pollinterval": 60, "webdav-root": "remote.php/webdav", "status": crate::handlers::status::show() },
            "dav": { "bulkupload": "1.0", "chunking": "1.0" },
            "files": {
                "bigfilechunking": true,
                "blacklisted_files": [],
                "chunked_upload": { "max_size": MOST_IN_CHUNK, "max_parallel_count": 5 },
                "locking": "1.0",
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
