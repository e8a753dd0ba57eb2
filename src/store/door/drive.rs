//! A drive, as far as it can be asked without a view.

use std::cell::RefCell;
use std::rc::Rc;

use crate::config::Kept;
use crate::error::{Error, Result};
use crate::ports::{Kind, Millis, Ports, Statement};
use crate::store::ground::database::{Database, Meter, Results};

/// The drive of one account, as one request sees it: what can be read of it without a decision.
#[derive(Clone)]
pub struct Drive {
    /// Only `View::commit` writes to it besides.
    pub(super) database: Database,
    pub(in crate::store) ports: Ports,
    pub(in crate::store) account: i64,
    pub(in crate::store) now: Millis,
    pub(in crate::store) kept: Kept,
    /// The login that the request's URLs name.
    pub(super) login: RefCell<Option<String>>,
}

impl Drive {
    /// Opens the drive of `account`; nothing is read yet.
    pub fn open(ports: &Ports, meter: &Rc<Meter>, account: i64, kept: Kept) -> Self {
        let database = Database { sql: ports.databases.drive(account), meter: meter.clone() };
        Self { database, ports: ports.clone(), account, now: ports.clock.now(), kept, login: RefCell::default() }
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
    pub(in crate::store) fn new_etag(&self) -> String {
        self.ports.random_hex(10)
    }

    /// Runs statements that change nothing. One round trip.
    pub(in crate::store) async fn query(&self, statements: Vec<Statement>) -> Result<Results> {
        if let Some(statement) = statements.iter().find(|statement| statement.kind != Kind::Read) {
            return Err(Error::internal(format!("a write without a view: {}", statement.sql)));
        }
        self.database.batch(statements).await
    }

    /// Runs the statements of a view, and records with them the blobs that are about to be stored. One round trip.
    pub(super) async fn look(&self, reads: Vec<Statement>, records: Vec<Record>) -> Result<Results> {
        if records.is_empty() {
            return self.query(reads).await;
        }
        self.database.batch(reads.into_iter().chain(records.into_iter().map(|record| record.0)).collect()).await
    }

    /// Notes what no client sees and what grants nothing: that a token was used, that a blob is gone, what a content's
    /// digests are. One round trip.
    pub(in crate::store) async fn note(&self, records: Vec<Record>) -> Result<()> {
        self.database.batch(records.into_iter().map(|record| record.0).collect()).await.map(|_| ())
    }

    /// The same after the answer, where nobody counts and nobody waits for it.
    pub(super) fn note_later(&self, record: Record) {
        let sql = self.database.sql.clone();
        self.ports.tasks.spawn(Box::pin(async move {
            if let Err(error) = sql.batch(vec![record.0]).await {
                log::warn!("something was not noted: {error}");
            }
        }));
    }
}

/// A write that needs no view: it changes nothing that a client could see.
#[derive(Debug, Clone)]
pub struct Record(pub(in crate::store) Statement);
