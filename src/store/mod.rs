//! The drive: tree, contents, versions, locks, properties, quota, tokens and accounts.
//!
//! All SQL is here and nowhere else. Every operation is one read (`View`), a decision in Rust, and
//! one atomic batch whose guards (`commit`) abort it when what was read has changed.
//!
//! Joins are CROSS JOINs where their order matters: SQLite then keeps it, and reads the few rows
//! that the left side names instead of a whole table.

mod accounts;
mod chunk;
mod commit;
mod content;
mod event;
mod filter;
mod fsck;
mod garbage;
mod job;
mod lock;
mod login;
mod media;
mod mend;
mod metadata;
mod migration;
mod node;
mod pattern;
mod property;
mod query;
mod reader;
mod scan;
mod search;
mod token;
mod trail;
mod trash;
mod tree;
mod upload;
mod version;
mod view;
mod webhook;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub use self::accounts::{Account, AccountChange, Accounts, NewAccount, QuotaChange};
pub use self::chunk::{Chunk, ChunkedUpload};
pub use self::commit::{Expect, Found, Place};
pub use self::content::{Content, Link, Linked, Part, StoredContent};
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
pub use self::scan::{AvStatus, Finding, Rescan, ScannerState};
pub use self::search::{Among, Direction, FoundNode, MOST_VISITED, Search, SortKey};
pub use self::token::{NewToken, Scope, Scopes, TokenInfo};
pub use self::trail::{LockBelow, Trail};
pub use self::trash::Trashed;
pub use self::tree::Transfer;
pub use self::upload::Upload;
pub use self::version::Version;
pub use self::view::{Address, Caller, Credentials, Detail, Listing, View, ViewRequest};
pub use self::webhook::{Attempt, Delivery, NewWebhook, Webhook};
use crate::config::Kept;
use crate::error::{Error, Result};
use crate::ports::{Millis, Ports, Rows, Sql, Statement};

/// Counts what a request asked of the database: the product's speed and price.
#[derive(Default)]
pub struct Meter {
    trips: Cell<u64>,
    rows_read: Cell<u64>,
    rows_written: Cell<u64>,
    jobs: Cell<bool>,
}

impl Meter {
    /// Has the runner of jobs woken after the request.
    pub fn wake(&self) {
        self.jobs.set(true);
    }

    /// Whether the request has made work for the runner of jobs.
    pub fn has_jobs(&self) -> bool {
        self.jobs.get()
    }

    /// Whether the database was asked anything yet.
    pub fn is_unused(&self) -> bool {
        self.trips.get() == 0
    }

    /// As a `Server-Timing` value (W3C Server Timing, 3).
    pub fn server_timing(&self) -> String {
        let (trips, read, written) = (self.trips.get(), self.rows_read.get(), self.rows_written.get());
        format!("sql;desc=\"trips={trips} read={read} written={written}\"")
    }
}

/// A database whose round trips are counted.
#[derive(Clone)]
struct Database {
    sql: Rc<dyn Sql>,
    meter: Rc<Meter>,
}

impl Database {
    /// Runs `statements` as one atomic batch. A guard that fires is `Error::Raced`.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>> {
        self.meter.trips.set(self.meter.trips.get() + 1);
        let jobs: Vec<usize> =
            (0..).zip(&statements).filter(|(_, s)| s.sql.starts_with("INSERT INTO jobs")).map(|(i, _)| i).collect();
        let batch = self.sql.batch(statements).await.map_err(commit::guard_error)?;
        self.meter.rows_read.set(self.meter.rows_read.get() + batch.rows_read);
        self.meter.rows_written.set(self.meter.rows_written.get() + batch.rows_written);
        if jobs.iter().any(|statement| batch.results.get(*statement).is_some_and(|rows| !rows.is_empty())) {
            self.meter.jobs.set(true);
        }
        Ok(batch.results)
    }
}

/// The drive of one account, as one request sees it.
#[derive(Clone)]
pub struct Drive {
    database: Database,
    ports: Ports,
    account: i64,
    now: Millis,
    kept: Kept,
    /// Bytes that were used when the drive was last read.
    used: Cell<i64>,
    /// The root of the trash, as it was read then.
    trash: Cell<i64>,
    /// Whether there were webhooks to be told of changes.
    has_webhooks: Cell<bool>,
    /// The login that the request's URLs name.
    login: RefCell<Option<String>>,
}

impl Drive {
    /// Opens the drive of `account`; nothing is read yet.
    pub fn open(ports: &Ports, meter: &Rc<Meter>, account: i64, kept: Kept) -> Self {
        let database = Database { sql: ports.databases.drive(account), meter: meter.clone() };
        Self {
            database,
            ports: ports.clone(),
            account,
            now: ports.clock.now(),
            kept,
            used: Cell::new(0),
            trash: Cell::new(0),
            has_webhooks: Cell::new(false),
            login: RefCell::default(),
        }
    }

    /// Has whatever is read be 404 unless the drive is that of `login`. Of two logins, the first counts: whether the
    /// other is the same.
    pub fn expect_login(&self, login: &str) -> bool {
        self.login.borrow_mut().get_or_insert_with(|| login.to_owned()) == login
    }

    /// The login that the request's URLs name, if they do.
    pub fn expected_login(&self) -> Option<String> {
        self.login.borrow().clone()
    }

    /// The time at which the request began.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// The account whose drive this is.
    pub fn account(&self) -> i64 {
        self.account
    }

    /// A fresh entity tag, without quotes.
    fn new_etag(&self) -> String {
        self.ports.random_hex(10)
    }
}

/// Does `attempt`, and once more from the beginning when a guard fired because somebody else was
/// faster.
pub async fn twice<T>(mut attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    match attempt().await {
        Err(Error::Raced(_)) => attempt().await,
        result => result,
    }
}
