//! Logins under way: a client waits for a person who grants it a token in a browser. Their secrets are made in `handlers`;
//! here are hashes of them.

use std::rc::Rc;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ports::{Millis, Ports, Statement};
use crate::store::ground::database::{Database, Meter};

/// How long a person has time to log in.
const LOGIN_TIME: Millis = 20 * 60_000;

/// Logins that may be under way.
const MOST: i64 = 10_000;

/// The logins of a deployment.
pub struct Logins {
    directory: Database,
    now: Millis,
}

/// A login that waits to be granted.
#[derive(Debug, Clone, Deserialize)]
pub struct Login {
    id: i64,
    /// The hash of the secret of the client that waits.
    pub poll: String,
    /// What that client calls itself.
    pub client: String,
}

#[derive(Deserialize)]
struct Granted {
    granted: String,
}

impl Logins {
    /// The logins of the deployment behind `ports`.
    pub fn open(ports: &Ports, meter: &Rc<Meter>) -> Self {
        let directory = Database { sql: ports.databases.directory(), meter: meter.clone() };
        Self { directory, now: ports.clock.now() }
    }

    /// Begins a login. `page` and `poll` are hashes of the secrets of its page and of the client that waits. 503 while too
    /// many are under way: anybody may begin one, and must not end those of others by it.
    pub async fn begin(&self, page: &str, poll: &str, client: &str) -> Result<()> {
        let insert = Statement::write(
            "INSERT INTO logins (page, poll, client, expires_at) SELECT ?1, ?2, ?3, ?4 \
             WHERE (SELECT count(*) FROM logins) < ?5 RETURNING id",
            [page.into(), poll.into(), client.into(), (self.now + LOGIN_TIME).into(), MOST.into()],
        );
        let results = self.directory.batch(vec![self.forget_expired(), insert]).await?;
        if results.get(1).is_some_and(|rows| !rows.is_empty()) {
            Ok(())
        } else {
            Err(Error::Unavailable("too many logins are under way".to_owned()))
        }
    }

    /// The login of that page: 404 where there is none, or it is granted already, or its time is over.
    pub async fn find(&self, page: &str) -> Result<Login> {
        let find = Statement::read(
            "SELECT id, poll, client FROM logins WHERE page = ?1 AND granted IS NULL AND expires_at > ?2",
            [page.into(), self.now.into()],
        );
        let results = self.directory.batch(vec![find]).await?;
        let login = results.one(0)?;
        login.ok_or(Error::NotFound("the login"))
    }

    /// Has the client that waits be told `granted`, which is sealed; 404 where the login is no longer open.
    pub async fn grant(&self, login: &Login, granted: &str) -> Result<()> {
        let grant = Statement::write(
            "UPDATE logins SET granted = ?2 WHERE id = ?1 AND granted IS NULL AND expires_at > ?3 RETURNING id",
            [login.id.into(), granted.into(), self.now.into()],
        );
        let results = self.directory.batch(vec![grant]).await?;
        let is_open = results.first().is_some_and(|rows| !rows.is_empty());
        if is_open { Ok(()) } else { Err(Error::NotFound("the login")) }
    }

    /// What the client of that secret is told, this once; none while nothing is granted.
    pub async fn take(&self, poll: &str) -> Result<Option<String>> {
        let take = Statement::write(
            "DELETE FROM logins WHERE poll = ?1 AND granted IS NOT NULL AND expires_at > ?2 RETURNING granted",
            [poll.into(), self.now.into()],
        );
        let results = self.directory.batch(vec![take]).await?;
        let granted: Option<Granted> = results.one(0)?;
        Ok(granted.map(|row| row.granted))
    }

    /// Forgets what has not come to its end in time.
    pub async fn sweep(&self) -> Result<()> {
        self.directory.batch(vec![self.forget_expired()]).await.map(|_| ())
    }

    fn forget_expired(&self) -> Statement {
        Statement::write("DELETE FROM logins WHERE expires_at <= ?1", [self.now.into()])
    }
}
