//! The drive: tree, contents, versions, locks, properties, quota, tokens and accounts.
//!
//! All SQL is here and nowhere else. Every operation is one read (`View`), a decision in Rust, and
//! one atomic batch whose guards (`commit`) abort it when what was read has changed.
//!
//! Joins are CROSS JOINs where their order matters: SQLite then keeps it, and reads the few rows
//! that the left side names instead of a whole table.

mod accounts;
mod checksum;
mod chunk;
mod closing;
mod commit;
mod content;
mod database;
mod door;
mod event;
mod filter;
mod fsck;
mod garbage;
mod job;
mod line;
mod lock;
mod login;
mod media;
mod mend;
mod metadata;
mod migration;
mod node;
mod pattern;
mod property;
mod purge;
mod query;
mod reader;
mod scan;
mod sealed;
mod search;
mod token;
mod trail;
mod trash;
mod tree;
mod tree_event;
mod upload;
mod version;
mod view;
mod webhook;

pub use self::accounts::{Account, AccountChange, Accounts, NewAccount, QuotaChange};
pub use self::checksum::{Algorithm, Checksum};
pub use self::chunk::{Chunk, ChunkedUpload};
pub use self::closing::MOST_PIECES;
use self::closing::Touched;
pub use self::commit::{Expect, Found, Place};
pub use self::content::{Content, Link, Linked, Part, StoredContent};
use self::database::Database;
pub use self::database::Meter;
pub use self::door::{Drive, Record, twice, twice_from};
pub use self::event::{Event, EventKind, FormerPlace};
pub use self::filter::{Filter, Number, Relation};
pub use self::fsck::{Comparison, LostFile, LostPart, Named, UnusedBlob};
pub use self::garbage::Garbage;
pub use self::job::{Backlog, Job, JobInfo, Jobs};
pub use self::lock::{Lock, NewLock};
pub use self::login::{Login, Logins};
pub use self::mend::Mended;
pub use self::metadata::{FAVORITE, MetadataChange};
pub use self::migration::migrate;
pub use self::node::{ContentInfo, Node};
pub use self::pattern::Pattern;
pub use self::property::{Property, PropertyChange};
pub use self::query::PAGE_BYTES;
pub use self::scan::{AvStatus, Finding, Rescan, ScannerState};
pub use self::sealed::{KeyUse, SealedKeys};
pub use self::search::{Among, Direction, FoundNode, MOST_VISITED, Search, SortKey};
pub use self::token::{NewToken, Scope, Scopes, TokenInfo};
pub use self::trail::{LockBelow, Trail};
pub use self::trash::{Deleted, MayChange, Trashed};
pub use self::tree::Transfer;
pub use self::upload::Upload;
pub use self::version::Version;
pub use self::view::{Address, Caller, Credentials, Detail, Listing, View, ViewRequest};
pub use self::webhook::{Attempt, Delivery, NewWebhook, Webhook};
