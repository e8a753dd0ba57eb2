//! SQL on Spin's SQLite (or libSQL): the database `default`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use spin_sdk::sqlite::{Connection, Error, RowResult, Value as Field};

use crate::ports::{Batch, Clock, Kind, Random, Rows, Sql, SqlError, Statement, Value};

/// A busy database is asked again so often, after 10 ms, 20 ms and so on.
const REPETITIONS: usize = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The database. A batch has a connection to itself, since it is a transaction.
pub struct SpinSql {
    idle: RefCell<Vec<Connection>>,
    clock: Rc<dyn Clock>,
    random: Rc<dyn Random>,
}

impl SpinSql {
    /// The database `default`; it is opened when it is needed.
    pub fn new(clock: Rc<dyn Clock>, random: Rc<dyn Random>) -> Self {
        Self { idle: RefCell::default(), clock, random }
    }

    /// One attempt. A connection goes back to the idle ones only when its transaction has ended.
    async fn attempt(&self, statements: &[Statement]) -> Result<Batch, SqlError> {
        let idle = self.idle.borrow_mut().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open().await?,
        };
        execute(&connection, begin(statements), Vec::new()).await?;
        let results = run(&connection, statements).await;
        let end = if results.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = execute(&connection, end, Vec::new()).await;
        if ended.is_ok() {
            self.idle.borrow_mut().push(connection);
        }
        let results = results?;
        ended?;
        Ok(Batch { results, rows_read: 0, rows_written: 0 })
    }

    fn pauses(&self) -> ExponentialBuilder {
        let mut seed = [0; 8];
        self.random.fill(&mut seed);
        ExponentialBuilder::new()
            .with_min_delay(FIRST_PAUSE)
            .with_max_times(REPETITIONS)
            .with_jitter()
            .with_jitter_seed(u64::from_ne_bytes(seed))
    }
}

#[async_trait(?Send)]
impl Sql for SpinSql {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Batch, SqlError> {
        let clock = Rc::clone(&self.clock);
        let sleep = move |pause| {
            let clock = Rc::clone(&clock);
            async move { clock.sleep(pause).await }
        };
        let attempt = || self.attempt(&statements);
        attempt.retry(self.pauses()).sleep(sleep).when(|error| matches!(error, SqlError::Unavailable(_))).await
    }
}

async fn open() -> Result<Connection, SqlError> {
    let connection = Connection::open_default().await.map_err(classify)?;
    execute(&connection, "PRAGMA foreign_keys = ON", Vec::new()).await?;
    Ok(connection)
}

/// What only reads does not wait for writers.
fn begin(statements: &[Statement]) -> &'static str {
    if statements.iter().all(|statement| statement.kind == Kind::Read) { "BEGIN" } else { "BEGIN IMMEDIATE" }
}

async fn run(connection: &Connection, statements: &[Statement]) -> Result<Vec<Rows>, SqlError> {
    let mut results = Vec::with_capacity(statements.len());
    for statement in statements {
        let params = statement.params.iter().map(field).collect();
        results.push(execute(connection, &statement.sql, params).await?);
    }
    Ok(results)
}

async fn execute(connection: &Connection, sql: &str, params: Vec<Field>) -> Result<Rows, SqlError> {
    let result = connection.execute(sql, params).await.map_err(classify)?;
    let columns = result.columns().to_vec();
    let rows = result.collect().await.map_err(classify)?;
    let rows: Vec<Row> = rows.iter().map(|row| Row { columns: &columns, row }).collect();
    serde_json::to_string(&rows).map(Rows).map_err(|error| SqlError::Failed(error.to_string()))
}

fn field(value: &Value) -> Field {
    match value {
        Value::Null => Field::Null,
        Value::Integer(number) => Field::Integer(*number),
        Value::Text(text) => Field::Text(text.clone()),
    }
}

/// A row as a JSON object.
struct Row<'a> {
    columns: &'a [String],
    row: &'a RowResult,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for (column, value) in self.columns.iter().zip(&self.row.values) {
            match value {
                Field::Null => map.serialize_entry(column, &())?,
                Field::Integer(number) => map.serialize_entry(column, number)?,
                Field::Real(number) => map.serialize_entry(column, number)?,
                Field::Text(text) => map.serialize_entry(column, text)?,
                Field::Blob(_) => return Err(S::Error::custom("a column holds a blob, which has no form in JSON")),
            }
        }
        map.end()
    }
}

/// Sorts SQLite's errors, which come as text.
fn classify(error: Error) -> SqlError {
    match error {
        Error::Io(message) if message.contains("constraint failed") => SqlError::Constraint(message),
        Error::Io(message) if message.contains("is locked") || message.contains("is busy") => {
            SqlError::Unavailable(message)
        }
        Error::Io(message) => SqlError::Failed(message),
        Error::DatabaseFull => SqlError::Unavailable("it is full".to_owned()),
        Error::NoSuchDatabase | Error::AccessDenied | Error::InvalidConnection => {
            SqlError::Failed(format!("{error}; does spin.toml give it to the component?"))
        }
    }
}
