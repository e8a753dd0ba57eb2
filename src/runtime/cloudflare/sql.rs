//! SQL on D1.

use async_trait::async_trait;
use js_sys::{Array, JSON};
use serde::Deserialize;
use serde_json::value::RawValue;
use wasm_bindgen::JsValue;
use worker_sys::{D1Database, D1PreparedStatement};

use super::js;
use crate::ports::{Batch, Rows, Sql, SqlError, Statement, Value};

/// The greatest number that JavaScript holds exactly, 2^53.
const MOST: u64 = 1 << 53;

/// A D1 database.
pub struct D1(pub D1Database);

#[async_trait(?Send)]
impl Sql for D1 {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Batch, SqlError> {
        // D1 refuses a batch of nothing.
        if statements.is_empty() {
            return Ok(Batch { results: Vec::new(), rows_read: 0, rows_written: 0 });
        }
        let prepared = Array::new();
        for statement in &statements {
            prepared.push(&self.prepare(statement)?.into());
        }
        let results = self.0.batch(prepared).map_err(thrown)?.await.map_err(thrown)?;
        // One string crosses to wasm, however many rows there are.
        let json: String = JSON::stringify(&results).map_err(thrown)?.into();
        parse(&json)
    }
}

impl D1 {
    fn prepare(&self, statement: &Statement) -> Result<D1PreparedStatement, SqlError> {
        let values = Array::new();
        for value in &statement.params {
            values.push(&bound(value)?);
        }
        self.0.prepare(&statement.sql).and_then(|prepared| prepared.bind(values)).map_err(thrown)
    }
}

/// The value as D1 takes it. The database sees a number as REAL, so SQL casts where that matters.
#[expect(clippy::cast_precision_loss, reason = "greater numbers are refused")]
fn bound(value: &Value) -> Result<JsValue, SqlError> {
    match value {
        Value::Null => Ok(JsValue::NULL),
        Value::Integer(number) if number.unsigned_abs() <= MOST => Ok((*number as f64).into()),
        Value::Integer(number) => Err(SqlError::Failed(format!("{number} is too great for D1"))),
        Value::Text(text) => Ok(text.into()),
    }
}

#[derive(Deserialize)]
struct D1Result<'a> {
    #[serde(borrow)]
    results: &'a RawValue,
    meta: Meta,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    rows_read: u64,
    #[serde(default)]
    rows_written: u64,
}

/// Takes D1's answer apart; the rows stay JSON until somebody wants them.
fn parse(json: &str) -> Result<Batch, SqlError> {
    let parts: Vec<D1Result> =
        serde_json::from_str(json).map_err(|error| SqlError::Failed(format!("unexpected answer of D1: {error}")))?;
    Ok(Batch {
        rows_read: parts.iter().map(|part| part.meta.rows_read).sum(),
        rows_written: parts.iter().map(|part| part.meta.rows_written).sum(),
        results: parts.into_iter().map(|part| Rows(part.results.get().to_owned())).collect(),
    })
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn thrown(thrown: JsValue) -> SqlError {
    classify(js::message(&thrown))
}

/// Sorts D1's errors, which have no code, by their text. The passing ones are those that D1's
/// documentation says may be tried again.
fn classify(message: String) -> SqlError {
    const PASSING: [&str; 6] = [
        "overloaded",
        "exceeded timeout",
        "Network connection lost",
        "caused object to be reset",
        "reset because its code was updated",
        "Cannot resolve D1 DB",
    ];
    if message.contains("SQLITE_CONSTRAINT") {
        SqlError::Constraint(message)
    } else if PASSING.iter().any(|text| message.contains(text)) {
        SqlError::Unavailable(message)
    } else {
        SqlError::Failed(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_d1_says() {
        let sorted = |message: &str| classify(message.to_owned());
        let check =
            "D1_ERROR: CHECK constraint failed: guard_etag: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)";
        assert!(
            matches!(sorted(check), SqlError::Constraint(text) if text.contains("CHECK constraint failed: guard_etag"))
        );
        assert!(matches!(sorted("D1_ERROR: D1 DB is overloaded. Too many requests queued."), SqlError::Unavailable(_)));
        assert!(matches!(sorted("D1_ERROR: Network connection lost."), SqlError::Unavailable(_)));
        assert!(matches!(sorted("D1_ERROR: no such table: nix: SQLITE_ERROR"), SqlError::Failed(_)));
    }

    #[test]
    fn an_answer_is_taken_apart() {
        let json = r#"[{"success":true,"meta":{"rows_read":2,"rows_written":1,"duration":0.5},"results":[{"a":1},{"a":2}]},
                       {"success":true,"meta":{"duration":0},"results":[]}]"#;
        let batch = parse(json).unwrap();
        assert_eq!(batch.results, [Rows(r#"[{"a":1},{"a":2}]"#.to_owned()), Rows("[]".to_owned())]);
        assert_eq!((batch.rows_read, batch.rows_written), (2, 1));
        assert!(parse("{}").is_err());
    }
}
