//! SQL in the dialect that D1, Spin and rusqlite share (SQLite).
//!
//! At most 100 bound parameters a statement, bulk data as one JSON parameter for `json_each(?)`,
//! no transactions but the batch.

use std::borrow::Cow;
use std::rc::Rc;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

/// A bound parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL
    Null,
    /// A whole number within ±2^53 (D1 speaks JavaScript numbers).
    Integer(i64),
    /// Text
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// What a statement does. Whoever makes it says so; its text is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It changes nothing. A batch of these alone need not wait for who writes.
    Read,
    /// It changes something, or aborts the batch.
    Write,
    /// It makes jobs, and gives a row for each: somebody has to wake their runner then.
    Jobs,
}

/// One SQL statement with its parameters, `?1` being `params[0]`.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What it does.
    pub kind: Kind,
    /// The text.
    pub sql: Cow<'static, str>,
    /// The parameters.
    pub params: Vec<Value>,
}

impl Statement {
    /// One that only reads.
    pub fn read(sql: impl Into<Cow<'static, str>>, params: impl Into<Vec<Value>>) -> Self {
        Self { kind: Kind::Read, sql: sql.into(), params: params.into() }
    }

    /// One that changes something, a guard among them.
    pub fn write(sql: impl Into<Cow<'static, str>>, params: impl Into<Vec<Value>>) -> Self {
        Self { kind: Kind::Write, sql: sql.into(), params: params.into() }
    }

    /// One that makes jobs, and gives a row for each.
    pub fn jobs(sql: impl Into<Cow<'static, str>>, params: impl Into<Vec<Value>>) -> Self {
        Self { kind: Kind::Jobs, sql: sql.into(), params: params.into() }
    }
}

/// The rows that one statement gave: a JSON array of objects with the column names as keys.
///
/// JSON, because it crosses from JavaScript to wasm as one string, and serde reads it straight
/// into the caller's types: five thousand rows cost milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows(pub String);

impl Rows {
    /// All rows as `T`, whose fields are the columns.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<Vec<T>, SqlError> {
        serde_json::from_str(&self.0).map_err(|error| SqlError::Failed(format!("unexpected row: {error}")))
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.0 == "[]"
    }

    /// The first row, if there is any.
    pub fn first<T: DeserializeOwned>(&self) -> Result<Option<T>, SqlError> {
        Ok(self.parse()?.into_iter().next())
    }
}

/// What a batch gave.
#[derive(Debug, Clone)]
pub struct Batch {
    /// One entry a statement, in order.
    pub results: Vec<Rows>,
    /// Rows the database says it read, where it says so (D1 bills them); else 0.
    pub rows_read: u64,
    /// Rows it says it wrote, where it says so; else 0.
    pub rows_written: u64,
}

/// Why a batch did nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SqlError {
    /// A constraint stopped it. The text holds SQLite's message, as in
    /// `CHECK constraint failed: guard_etag` or `UNIQUE constraint failed: nodes.parent_id, nodes.name`.
    #[error("{0}")]
    Constraint(String),
    /// The database is busy or away; the same batch may be tried again.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// Anything else: a bug, or a schema that was not migrated.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// A SQLite-dialect database.
#[async_trait(?Send)]
pub trait Sql {
    /// Runs the statements in order in one transaction and one round trip: all take effect or
    /// none. Foreign keys are enforced.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Batch, SqlError>;
}

/// The databases of a deployment. Today one may serve all; no statement relies on it.
pub trait Databases {
    /// Logins and accounts.
    fn directory(&self) -> Rc<dyn Sql>;

    /// The drive of one account.
    fn drive(&self, account: i64) -> Rc<dyn Sql>;

    /// Each database that holds drives, for what is done to all of them.
    fn shards(&self) -> Vec<Rc<dyn Sql>>;
}
