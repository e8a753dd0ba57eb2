//! What is beside the tree: accounts, tokens, logins, master keys, and the schema. Imports `ground`, `door` and `tree`.

pub(super) mod accounts;
pub(super) mod login;
pub(super) mod migration;
pub(super) mod sealed;
pub(super) mod token;
