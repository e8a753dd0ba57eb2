//! SQL on Spin's SQLite (or libSQL): the database `default`.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use backon::{ExponentialBuilder, Retryable};
use spin_sdk::sqlite::Connection;

use super::rows::{Reader, classify, rows};
use crate::ports::{Batch, Clock, Kind, Random, Rows, Sql, SqlError, Statement};

/// A busy database is asked again so often, after 10 ms, 20 ms and so on.
const REPETITIONS: usize = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The database. A batch has a connection to itself, since it is a transaction.
pub struct SpinSql {
    idle: RefCell<Vec<Connection>>,
    reader: Reader,
    clock: Rc<dyn Clock>,
    random: Rc<dyn Random>,
}

impl SpinSql {
    /// The database `default`; it is opened when it is needed.
    pub fn new(clock: Rc<dyn Clock>, random: Rc<dyn Random>) -> Self {
        Self { idle: RefCell::default(), reader: Reader::default(), clock, random }
    }

    /// One attempt. A connection goes back to the idle ones only when its transaction has ended.
    async fn attempt(&self, statements: &[Statement]) -> Result<Batch, SqlError> {
        let idle = self.idle.borrow_mut().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open().await?,
        };
        execute(&connection, begin(statements)).await?;
        let results = self.run(&connection, statements).await;
        let end = if results.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = execute(&connection, end).await;
        if ended.is_ok() {
            self.idle.borrow_mut().push(connection);
        }
        let results = results?;
        ended?;
        Ok(Batch { results, rows_read: 0, rows_written: 0 })
    }

    async fn run(&self, connection: &Connection, statements: &[Statement]) -> Result<Vec<Rows>, SqlError> {
        let mut results = Vec::with_capacity(statements.len());
        for statement in statements {
            results.push(match statement.kind {
                Kind::Read => self.reader.rows(connection, statement).await?,
                Kind::Write | Kind::Jobs => rows(connection, statement).await?,
            });
        }
        Ok(results)
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
    execute(&connection, "PRAGMA foreign_keys = ON").await?;
    Ok(connection)
}

/// What only reads does not wait for writers.
fn begin(statements: &[Statement]) -> &'static str {
    if statements.iter().all(|statement| statement.kind == Kind::Read) { "BEGIN" } else { "BEGIN IMMEDIATE" }
}

async fn execute(connection: &Connection, sql: &'static str) -> Result<(), SqlError> {
    rows(connection, &Statement::write(sql, [])).await.map(drop)
}
