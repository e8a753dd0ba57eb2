//! What all rooms stand on: the database that counts, and what its rows say of nodes. Imports nothing else of the store.

pub(super) mod content_info;
pub(super) mod database;
mod guard;
pub(super) mod lock;
pub(super) mod node;
pub(super) mod property;
pub(super) mod scope;
