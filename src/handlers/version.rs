//! The version of Nextcloud that clients are told.

/// The version of Nextcloud that this interface follows.
pub const VERSION: [u32; 3] = [31, 0, 0];

/// The same as clients compare it.
pub const PRODUCT_VERSION: &str = "31.0.0.0";
