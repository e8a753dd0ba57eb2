//! A database whose round trips and rows are counted.

use std::cell::Cell;
use std::ops::Deref;
use std::rc::Rc;

use serde::de::DeserializeOwned;

use super::guard::guard_error;
use crate::error::Result;
use crate::ports::{Kind, Rows, Sql, Statement};

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

/// What the statements of a batch gave, in their order.
pub struct Results(pub(in crate::store) Vec<Rows>);

impl Results {
    /// The first row that statement `n` gave, counted from 0, if it gave any.
    pub(in crate::store) fn one<T: DeserializeOwned>(&self, n: usize) -> Result<Option<T>> {
        Ok(self.get(n).map(Rows::first).transpose()?.flatten())
    }

    /// All rows that statement `n` gave.
    pub(in crate::store) fn all<T: DeserializeOwned>(&self, n: usize) -> Result<Vec<T>> {
        Ok(self.get(n).map(Rows::parse).transpose()?.unwrap_or_default())
    }
}

impl Deref for Results {
    type Target = [Rows];

    fn deref(&self) -> &[Rows] {
        &self.0
    }
}

/// A database whose round trips are counted.
#[derive(Clone)]
pub(in crate::store) struct Database {
    pub(in crate::store) sql: Rc<dyn Sql>,
    pub(in crate::store) meter: Rc<Meter>,
}

impl Database {
    /// Runs `statements` as one atomic batch. A guard that fires is `Error::Raced`, a limit that is reached
    /// `Error::Limit`.
    pub(in crate::store) async fn batch(&self, statements: Vec<Statement>) -> Result<Results> {
        self.meter.trips.set(self.meter.trips.get() + 1);
        let jobs: Vec<usize> = (0..).zip(&statements).filter(|(_, s)| s.kind == Kind::Jobs).map(|(i, _)| i).collect();
        let batch = self.sql.batch(statements).await.map_err(guard_error)?;
        self.meter.rows_read.set(self.meter.rows_read.get() + batch.rows_read);
        self.meter.rows_written.set(self.meter.rows_written.get() + batch.rows_written);
        if jobs.iter().any(|statement| batch.results.get(*statement).is_some_and(|rows| !rows.is_empty())) {
            self.meter.jobs.set(true);
        }
        Ok(Results(batch.results))
    }
}
