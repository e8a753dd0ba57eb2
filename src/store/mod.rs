//! The drive: tree, contents, versions, locks, properties, quota, tokens and accounts.
//!
//! All SQL is here and nowhere else. Every operation is one read (`View`), a decision in Rust, and
//! one atomic batch whose guards (`commit`) abort it when what was read has changed.
//!
//! Its rooms, each of which imports from those before it alone: `ground`, `door`, `jobs`, `contents`, `tree`, `search`,
//! `directory`. A file imports from the file that defines a thing; the names below are for the rest of the crate.
//!
//! Joins are CROSS JOINs where their order matters: SQLite then keeps it, and reads the few rows
//! that the left side names instead of a whole table.

mod contents;
mod directory;
mod door;
mod ground;
mod jobs;
mod search;
mod tree;

pub use self::contents::checksum::{Algorithm, Checksum};
pub use self::contents::chunk::{Chunk, ChunkedUpload};
pub use self::contents::content::{Content, Link, Linked, StoredContent};
pub use self::contents::fsck::{Comparison, LostFile, LostPart, Named, UnusedBlob};
pub use self::contents::garbage::Garbage;
pub use self::contents::mend::Mended;
pub use self::contents::scan::{Finding, Rescan, ScannerState};
pub use self::contents::upload::Upload;
pub use self::contents::version::Version;
pub use self::directory::accounts::{Account, AccountChange, Accounts, NewAccount, QuotaChange};
pub use self::directory::login::{Login, Logins};
pub use self::directory::migration::migrate;
pub use self::directory::sealed::{KeyUse, SealedKeys};
pub use self::directory::token::{NewToken, TokenInfo};
pub use self::door::address::{Address, Credentials, Detail, Listing, ViewRequest};
pub use self::door::caller::Caller;
pub use self::door::closing::MOST_PIECES;
pub use self::door::commit::{Expect, Held, Place};
pub use self::door::drive::{Drive, Record};
pub use self::door::query::PAGE_BYTES;
pub use self::door::trail::{LockBelow, Trail};
pub use self::door::view::{View, twice, twice_from};
pub use self::ground::content_info::{AvStatus, ContentInfo, Part};
pub use self::ground::database::Meter;
pub use self::ground::lock::{Lock, NewLock};
pub use self::ground::node::Node;
pub use self::ground::property::Property;
pub use self::ground::scope::{Scope, Scopes};
pub use self::jobs::event::{Event, EventKind, FormerPlace};
pub use self::jobs::job::{Backlog, Job, JobInfo, Jobs};
pub use self::jobs::webhook::{Attempt, Delivery, NewWebhook, Webhook};
pub use self::search::filter::{Filter, Number, Relation};
pub use self::search::find::{Among, Direction, FoundNode, MOST_VISITED, Search, SortKey};
pub use self::search::pattern::Pattern;
pub use self::tree::folder::Transfer;
pub use self::tree::metadata::{FAVORITE, MetadataChange};
pub use self::tree::property::PropertyChange;
pub use self::tree::trash::{Deleted, MayChange, Trashed};
