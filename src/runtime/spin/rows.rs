//! The rows that a statement gives, as the JSON that `Rows` is.
//!
//! Each row crosses from Spin to the component by itself, which costs more than to read it. So what only reads is asked for
//! all its rows as one. That takes the names of its columns; they are learned when an instance runs a statement for the first
//! time, for a few rows, which are often all.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;

use serde::ser::{Error as _, SerializeMap};
use serde::{Serialize, Serializer};
use spin_sdk::sqlite::{Connection, Error, RowResult, Value as Field};

use crate::ports::{Rows, SqlError, Statement, Value};

/// Rows that a first run gives at most.
const FEW: usize = 16;

/// Statements that are remembered. There are not so many, but for searches, whose text is made of what the client wants.
const REMEMBERED: usize = 128;

/// SQLite's functions take 127 arguments, two of which make a column.
const MOST_COLUMNS: usize = 60;

/// Runs what only reads, with few rows crossing over.
#[derive(Default)]
pub struct Reader {
    /// By statements' texts, those that give the same rows as one.
    known: RefCell<HashMap<String, Rc<str>>>,
}

impl Reader {
    /// The rows of a statement that only reads. A form of it that fails says nothing: then it is run as it is.
    pub async fn rows(&self, connection: &Connection, statement: &Statement) -> Result<Rows, SqlError> {
        match self.wrapped(connection, statement).await {
            Err(SqlError::Failed(_)) => rows(connection, statement).await,
            result => result,
        }
    }

    async fn wrapped(&self, connection: &Connection, statement: &Statement) -> Result<Rows, SqlError> {
        let known = self.known.borrow().get(&*statement.sql).cloned();
        if let Some(whole) = known {
            return one(select(connection, &whole, statement).await?);
        }
        let first = format!("SELECT * FROM (\n{}\n) LIMIT {FEW}", statement.sql);
        let selected = select(connection, &first, statement).await?;
        let Some(whole) = self.learn(statement, &selected.columns) else { return rows(connection, statement).await };
        if selected.rows.len() < FEW { selected.json() } else { one(select(connection, &whole, statement).await?) }
    }

    /// What gives all rows of the statement as one, from now on; none if it has too many columns, or perhaps some of one
    /// name, which SQLite tells apart by a colon and a number.
    fn learn(&self, statement: &Statement, columns: &[String]) -> Option<Rc<str>> {
        if columns.len() > MOST_COLUMNS || columns.iter().any(|column| column.contains(':')) {
            return None;
        }
        let mut known = self.known.borrow_mut();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let whole: Rc<str> = whole(&statement.sql, columns).into();
        known.insert(statement.sql.to_string(), Rc::clone(&whole));
        Some(whole)
    }
}

/// A statement whose only row holds all rows of `sql` as JSON.
///
/// `MATERIALIZED` has SQLite run `sql` as it stands, and store its rows: each value is computed once, and what is JSON is text
/// like any other (else it would come as an array or an object). The rows are stored in their order, and read in the order
/// in which they are stored. Only blobs are larger than an empty one; that `json` refuses the word `blob` makes them the error that
/// they are in rows by themselves.
fn whole(sql: &str, columns: &[String]) -> String {
    let (mut names, mut members) = (String::new(), String::new());
    for (number, column) in columns.iter().enumerate() {
        let comma = if number > 0 { ", " } else { "" };
        let (c, key) = (format!("c{number}"), column.replace('\'', "''"));
        let _ = write!(names, "{comma}{c}");
        let _ = write!(members, "{comma}'{key}', CASE WHEN {c} >= x'' THEN json(typeof({c})) ELSE {c} END");
    }
    format!(
        "WITH edgedrive_rows({names}) AS MATERIALIZED (\n{sql}\n) \
         SELECT json_group_array(json_object({members})) FROM edgedrive_rows"
    )
}

/// The only value of the only row.
fn one(selected: Selected) -> Result<Rows, SqlError> {
    match selected.rows.into_iter().flat_map(|row| row.values).next() {
        Some(Field::Text(json)) => Ok(Rows(json)),
        _ => Err(SqlError::Failed("it gave no JSON".to_owned())),
    }
}

/// The rows of any statement, one by one.
pub async fn rows(connection: &Connection, statement: &Statement) -> Result<Rows, SqlError> {
    select(connection, &statement.sql, statement).await?.json()
}

/// Runs `sql`, which stands for `statement` and has its parameters.
async fn select(connection: &Connection, sql: &str, statement: &Statement) -> Result<Selected, SqlError> {
    let result = connection.execute(sql, statement.params.iter().map(field)).await.map_err(classify)?;
    let columns = result.columns().to_vec();
    let rows = result.collect().await.map_err(classify)?;
    Ok(Selected { columns, rows })
}

fn field(value: &Value) -> Field {
    match value {
        Value::Null => Field::Null,
        Value::Integer(number) => Field::Integer(*number),
        Value::Text(text) => Field::Text(text.clone()),
    }
}

struct Selected {
    columns: Vec<String>,
    rows: Vec<RowResult>,
}

impl Selected {
    fn json(&self) -> Result<Rows, SqlError> {
        let rows: Vec<Row> = self.rows.iter().map(|row| Row { columns: &self.columns, row }).collect();
        serde_json::to_string(&rows).map(Rows).map_err(|error| SqlError::Failed(error.to_string()))
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
pub fn classify(error: Error) -> SqlError {
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
