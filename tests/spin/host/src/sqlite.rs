//! `spin:sqlite` on rusqlite, as Spin's own in-process SQLite: each `open` is a connection to the file, with rusqlite's
//! five seconds of patience for a lock; queries run off the async threads; every failure of SQLite is `io` with its
//! message.
//!
//! The rows of `execute-async` are pulled by the guest, one a read. Until it has read or dropped them, the connection is
//! taken.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, HasSelf, Resource, StreamProducer, StreamReader, StreamResult,
};

use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::guest::{App, Guest};

/// How many rows a query is ahead of its reader.
const ROWS_AHEAD: usize = 4;

/// A `connection` resource.
#[derive(Clone)]
pub struct Connection(Arc<Mutex<rusqlite::Connection>>);

impl Connection {
    async fn open(app: Arc<App>, database: String) -> Result<Self, Error> {
        let Some(path) = app.database.clone().filter(|_| database == "default") else {
            return Err(Error::AccessDenied);
        };
        let connection = spawn_blocking(move || rusqlite::Connection::open(path)).await.map_err(io)?.map_err(io)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    fn lock(&self) -> MutexGuard<'_, rusqlite::Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one statement. `row` says whether it wants another.
    fn query(
        &self,
        statement: &str,
        parameters: &[Value],
        columns: impl FnOnce(Vec<String>),
        mut row: impl FnMut(RowResult) -> bool,
    ) -> rusqlite::Result<()> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(statement)?;
        let count = statement.column_count();
        columns(statement.column_names().map(str::to_owned).collect());
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        while let Some(found) = rows.next()? {
            let values = (0..count).map(|column| found.get(column)).collect::<rusqlite::Result<_>>()?;
            if !row(RowResult { values }) {
                break;
            }
        }
        Ok(())
    }

    fn query_all(&self, statement: &str, parameters: &[Value]) -> rusqlite::Result<QueryResult> {
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        let push = |row| {
            rows.push(row);
            true
        };
        self.query(statement, parameters, |names| columns = names, push)?;
        Ok(QueryResult { columns, rows })
    }
}

fn io(error: impl std::fmt::Display) -> Error {
    Error::Io(error.to_string())
}

impl Guest {
    fn connection(&self, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
        Ok(self.table.get(handle)?.clone())
    }
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        match Connection::open(self.app.clone(), database).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute(
        &mut self,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let connection = self.connection(&handle)?;
        Ok(spawn_blocking(move || connection.query_all(&statement, &parameters)).await?.map_err(io))
    }

    async fn last_insert_rowid(&mut self, handle: Resource<Connection>) -> wasmtime::Result<i64> {
        let connection = self.connection(&handle)?;
        Ok(spawn_blocking(move || connection.lock().last_insert_rowid()).await?)
    }

    async fn changes(&mut self, handle: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = self.connection(&handle)?;
        Ok(spawn_blocking(move || connection.lock().changes()).await?)
    }

    async fn drop(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        let connection = self.table.delete(handle)?;
        Ok(spawn_blocking(move || drop(connection)).await?)
    }
}

impl<T: Send> HostConnectionWithStore<T> for HasSelf<Guest> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let app = accessor.with(|mut access| access.get().app.clone());
        match Connection::open(app, database).await {
            Ok(connection) => Ok(Ok(accessor.with(|mut access| access.get().table.push(connection))?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<(Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>), Error>> {
        let connection = accessor.with(|mut access| access.get().connection(&handle))?;
        let (columns_sender, columns) = oneshot::channel();
        let (rows_sender, rows) = mpsc::channel(ROWS_AHEAD);
        let (end_sender, end) = oneshot::channel();
        spawn_blocking(move || {
            let send_columns = |columns| _ = columns_sender.send(columns);
            let send_row = |row| rows_sender.blocking_send(row).is_ok();
            let result = connection.query(&statement, &parameters, send_columns, send_row);
            _ = end_sender.send(result.map_err(io));
        });
        // As in Spin, a statement that SQLite refuses has no columns and no rows, and fails at the end.
        let columns = columns.await.unwrap_or_default();
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, Rows(rows))?;
            Ok(Ok((columns, rows, FutureReader::new(&mut access, end)?)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        handle: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = accessor.with(|mut access| access.get().connection(&handle))?;
        Ok(spawn_blocking(move || connection.lock().last_insert_rowid()).await?)
    }

    async fn changes_async(accessor: &Accessor<T, Self>, handle: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = accessor.with(|mut access| access.get().connection(&handle))?;
        Ok(spawn_blocking(move || connection.lock().changes()).await?)
    }
}

/// The rows of a running query, as a stream for the guest: however many it asks for, each comes by itself.
struct Rows(mpsc::Receiver<RowResult>);

impl<D> StreamProducer<D> for Rows {
    type Item = RowResult;
    type Buffer = Option<RowResult>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        match self.0.poll_recv(cx) {
            Poll::Ready(None) => Poll::Ready(Ok(StreamResult::Dropped)),
            Poll::Ready(row) => {
                destination.set_buffer(row);
                Poll::Ready(Ok(StreamResult::Completed))
            }
            Poll::Pending if finish => Poll::Ready(Ok(StreamResult::Cancelled)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(blob) => ValueRef::Blob(blob),
        }))
    }
}

impl FromSql for Value {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(integer) => Value::Integer(integer),
            ValueRef::Real(real) => Value::Real(real),
            ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(FromSqlError::other)?.to_owned()),
            ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
        })
    }
}
