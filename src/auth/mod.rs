//! Tokens: making them, and finding one in a request. Their rows are in `store/`.

mod admin;
mod credentials;
mod token;

pub use self::admin::require_admin;
pub use self::credentials::{credentials, credentials_of, is_basic};
pub use self::token::{hash_token, new_secret};
