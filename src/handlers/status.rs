//! `/status.php`: by which the clients of Nextcloud and ownCloud know a server.

use http::Response;
use serde_json::{Value, json};

use super::json;
use super::version::{PRODUCT_VERSION, VERSION};
use crate::body::Body;

/// What the server is.
pub fn show() -> Value {
    let [major, minor, micro] = VERSION;
    json!({
        "installed": true,
        "maintenance": false,
        "needsDbUpgrade": false,
        "version": PRODUCT_VERSION,
        "versionstring": format!("{major}.{minor}.{micro}"),
        "edition": "",
        "productname": "edgedrive",
        "extendedSupport": false,
    })
}

/// The answer.
pub fn answer() -> Response<Body> {
    json::ok(&show())
}
