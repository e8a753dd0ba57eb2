//! `Sql` on rusqlite, under the limits of D1, so that a statement which D1 would refuse fails in
//! the tests already.

use std::cell::RefCell;
use std::path::Path;

use async_trait::async_trait;
use futures_util::FutureExt;
use rusqlite::backup::Backup;
use rusqlite::limits::Limit;
use rusqlite::types::{Value as Field, ValueRef};
use rusqlite::{Connection, ErrorCode, Row, Transaction, TransactionBehavior, params_from_iter};
use serde_json::Value as Json;

use crate::error::Result;
use crate::ports::{Batch, Kind, Rows, Sql, SqlError, Statement, Value};
use crate::store;

/// What workerd sets, with the length of a row that D1 documents.
const LIMITS: [(Limit, i32); 11] = [
    (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, MAX_PARAMS),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 10),
];
const MAX_PARAMS: i32 = 100;

/// The largest whole number that JavaScript, and so D1, tells from its neighbours.
const MAX_INTEGER: i64 = 1 << 53;

/// One migrated SQLite database.
pub struct NativeSql {
    connection: RefCell<Connection>,
}

impl NativeSql {
    /// An empty database that is gone when it is dropped.
    ///
    /// # Panics
    /// When a migration fails.
    pub fn open_in_memory() -> Self {
        let sql = Self::prepare(Connection::open_in_memory()).expect("SQLite opens");
        sql.migrated().expect("the migrations apply to an empty database")
    }

    /// The database in the file `path`, which is made if there is none.
    pub fn open(path: &Path) -> Result<Self> {
        Self::prepare(Connection::open(path)).map_err(SqlError::from)?.migrated()
    }

    /// A database in memory that holds what this one holds at present.
    ///
    /// # Panics
    /// When SQLite cannot copy it.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::prepare(Connection::open_in_memory()).expect("SQLite opens");
        let all = |from: &Connection, to: &mut Connection| Backup::new(from, to)?.step(-1);
        all(&self.connection.borrow(), &mut copy.connection.borrow_mut()).expect("SQLite copies");
        copy
    }

    fn prepare(connection: rusqlite::Result<Connection>) -> rusqlite::Result<Self> {
        let connection = connection?;
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value)?;
        }
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(Self { connection: RefCell::new(connection) })
    }

    fn migrated(self) -> Result<Self> {
        store::migrate(&self).now_or_never().expect("SQLite does not wait")?;
        Ok(self)
    }
}

#[cfg(test)]
impl NativeSql {
    /// A database without a schema.
    ///
    /// # Panics
    /// When SQLite does not open.
    pub fn open_empty_in_memory() -> Self {
        Self::prepare(Connection::open_in_memory()).unwrap()
    }

    /// Runs what a batch would not take, such as several statements in one text.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn execute(&self, sql: &str) {
        self.connection.borrow().execute_batch(sql).unwrap();
    }
}

#[async_trait(?Send)]
impl Sql for NativeSql {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Batch, SqlError> {
        let mut connection = self.connection.borrow_mut();
        // Rolls back when it is dropped.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let results = statements.iter().map(|statement| run(&transaction, statement)).collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(Batch { results, rows_read: 0, rows_written: 0 })
    }
}

/// More than there are.
const STATEMENTS_KEPT: usize = 512;

fn run(transaction: &Transaction, statement: &Statement) -> Result<Rows, SqlError> {
    let params: Vec<Field> = statement.params.iter().map(param).collect::<Result<_, _>>()?;
    let mut prepared = transaction.prepare_cached(&statement.sql)?;
    if statement.kind == Kind::Read && !prepared.readonly() {
        return Err(SqlError::Failed(format!("this does not only read: {}", statement.sql)));
    }
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let mut rows = prepared.query(params_from_iter(params))?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next()? {
        objects.push(object(row, &columns)?);
    }
    Ok(Rows(Json::Array(objects).to_string()))
}

fn param(value: &Value) -> Result<Field, SqlError> {
    Ok(match value {
        Value::Null => Field::Null,
        Value::Integer(number) => Field::Integer(exact(*number)?),
        Value::Text(text) => Field::Text(text.clone()),
    })
}

fn object(row: &Row, columns: &[String]) -> Result<Json, SqlError> {
    let field = |(place, name): (usize, &String)| Ok((name.clone(), json(row.get_ref(place)?)?));
    columns.iter().enumerate().map(field).collect::<Result<_, _>>().map(Json::Object)
}

fn json(field: ValueRef) -> Result<Json, SqlError> {
    match field {
        ValueRef::Null => Ok(Json::Null),
        ValueRef::Integer(number) => exact(number).map(Json::from),
        ValueRef::Real(number) => Ok(Json::from(number)),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Ok(Json::from(text)),
            Err(_) => Err(SqlError::Failed("a text is not UTF-8".to_owned())),
        },
        ValueRef::Blob(_) => Err(SqlError::Failed("a column holds a blob, which has no form in JSON".to_owned())),
    }
}

fn exact(number: i64) -> Result<i64, SqlError> {
    if number.unsigned_abs() <= MAX_INTEGER.unsigned_abs() {
        Ok(number)
    } else {
        Err(SqlError::Failed(format!("{number} is beyond 2^53")))
    }
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        let message = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(message),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Unavailable(message),
            _ => Self::Failed(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(sql: &NativeSql, text: &'static str, params: Vec<Value>) -> Result<Batch, SqlError> {
        sql.batch(vec![Statement::write(text, params)]).await
    }

    #[tokio::test]
    async fn the_limits_of_d1_hold() {
        let sql = NativeSql::open_in_memory();
        let params = |count: i64| {
            let list = (1..=count).map(|i| format!("?{i}")).collect::<Vec<_>>().join(",");
            Statement::read(format!("SELECT 1 IN ({list}) AS x"), (1..=count).map(Value::from).collect::<Vec<_>>())
        };
        assert!(sql.batch(vec![params(100)]).await.is_ok());
        assert!(matches!(sql.batch(vec![params(101)]).await, Err(SqlError::Failed(_))));
        let like = run(&sql, "SELECT 'x' LIKE ?1 AS x", vec!["a".repeat(51).into()]).await;
        assert!(matches!(like, Err(SqlError::Failed(_))));
        for number in [MAX_INTEGER + 1, -MAX_INTEGER - 1, i64::MIN] {
            let beyond = run(&sql, "SELECT ?1 AS x", vec![number.into()]).await;
            assert!(matches!(beyond, Err(SqlError::Failed(_))));
        }
        let blob = run(&sql, "SELECT x'00' AS x", vec![]).await;
        assert!(matches!(blob, Err(SqlError::Failed(_))));
    }

    #[tokio::test]
    async fn one_statement_is_one_statement_with_all_its_parameters() {
        let sql = NativeSql::open_in_memory();
        for (text, params) in [("SELECT 1; SELECT 2", vec![]), ("SELECT ?1", vec![]), ("SELECT 1", vec![1.into()])] {
            assert!(matches!(run(&sql, text, params).await, Err(SqlError::Failed(_))), "{text}");
        }
    }

    #[tokio::test]
    async fn a_file_keeps_its_rows_and_a_busy_one_is_unavailable() {
        let file = std::env::temp_dir().join(format!("edgedrive-test-{}.sqlite", std::process::id()));
        let insert = "INSERT INTO blob_garbage (blob_key, due_at) VALUES ('b', 1)";
        run(&NativeSql::open(&file).unwrap(), insert, vec![]).await.unwrap();
        let sql = NativeSql::open(&file).unwrap();
        let twice = run(&sql, insert, vec![]).await;
        assert!(matches!(twice, Err(SqlError::Constraint(_))), "{twice:?}");

        sql.connection.borrow().busy_timeout(std::time::Duration::ZERO).unwrap();
        let other = Connection::open(&file).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let busy = run(&sql, "SELECT 1", vec![]).await;
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(busy, Err(SqlError::Unavailable(_))), "{busy:?}");
    }
}
