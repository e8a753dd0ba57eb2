//! What a batch says of the guard that stopped it.

use crate::error::{Error, Guard, Limit};
use crate::ports::SqlError;

/// The limits by the names of their guards.
const LIMITS: [(&str, Limit); 7] = [
    ("guard_nodes", Limit::Nodes),
    ("guard_properties", Limit::Properties),
    ("guard_locks", Limit::Locks),
    ("guard_uploads", Limit::Uploads),
    ("guard_pieces", Limit::Pieces),
    ("guard_path", Limit::Path),
    ("guard_tokens", Limit::Tokens),
];

/// The others by theirs.
const GUARDS: [(&str, Guard); 10] = [
    ("guard_parent", Guard::Parent),
    ("guard_gone", Guard::Gone),
    ("guard_exists", Guard::Exists),
    ("guard_etag", Guard::Etag),
    ("guard_lock", Guard::Lock),
    ("guard_cycle", Guard::Cycle),
    ("guard_upload", Guard::Upload),
    ("guard_infected", Guard::Infected),
    ("guard_token", Guard::Token),
    ("guard_place", Guard::Place),
];

/// Tells a guard that fired from a database that failed.
pub(super) fn guard_error(error: SqlError) -> Error {
    let SqlError::Constraint(message) = &error else { return error.into() };
    // The limits first: guard_locks begins with guard_lock.
    if let Some((_, limit)) = LIMITS.iter().find(|(name, _)| message.contains(name)) {
        return Error::Limit(*limit);
    }
    if let Some((_, guard)) = GUARDS.iter().find(|(name, _)| message.contains(name)) {
        return Error::Raced(*guard);
    }
    if message.contains("guard_quota") {
        return Error::QuotaExceeded;
    }
    if message.contains("UNIQUE constraint failed: nodes.parent_id") {
        return Error::Raced(Guard::Exists);
    }
    if message.contains("FOREIGN KEY") {
        return Error::Raced(Guard::Gone);
    }
    error.into()
}
