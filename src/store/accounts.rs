//! Accounts: a row in the directory and a drive of its own.

use std::rc::Rc;

use serde::Deserialize;

use super::{Database, Meter};
use crate::error::{Error, Result};
use crate::ports::{Millis, Ports, Rows, SqlError, Statement};

/// The accounts of a deployment.
pub struct Accounts {
    ports: Ports,
    meter: Rc<Meter>,
    directory: Database,
    now: Millis,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Unique, `[a-z0-9._-]{1,64}`.
    pub login: String,
    /// A name for people.
    pub display_name: String,
    /// Bytes; none for no limit.
    pub quota: Option<i64>,
}

/// What to change of an account.
#[derive(Debug, Clone, Default)]
pub struct AccountChange {
    /// A new name for people.
    pub display_name: Option<String>,
    /// What becomes of the quota.
    pub quota: QuotaChange,
}

/// What becomes of a quota.
#[derive(Debug, Clone, Copy, Default)]
pub enum QuotaChange {
    /// It stays.
    #[default]
    Keep,
    /// It is so many bytes from now on, or there is none.
    Set(Option<i64>),
}

/// An account.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// Its login.
    pub login: String,
    /// Its name for people.
    pub display_name: String,
    /// When it was made.
    pub created_at: Millis,
    /// What its drive says.
    #[serde(skip)]
    pub usage: Usage,
}

/// What a drive says of its size.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Usage {
    /// Bytes that it may hold; none for no limit.
    pub quota: Option<i64>,
    /// Bytes that it holds, earlier versions included.
    pub used: i64,
}

const ACCOUNT: &str = "id, login, display_name, created_at";

impl Accounts {
    /// The accounts of the deployment behind `ports`.
    pub fn open(ports: &Ports, meter: &Rc<Meter>) -> Self {
        let directory = Database { sql: ports.databases.directory(), meter: meter.clone() };
        Self { ports: ports.clone(), meter: meter.clone(), directory, now: ports.clock.now() }
    }

    /// Makes an account with an empty drive; 409 where the login is taken.
    pub async fn create(&self, new: &NewAccount) -> Result<Account> {
        // The directory goes first: a drive that it does not know could not be found again.
        let insert = Statement::write(
            format!("INSERT INTO accounts (login, display_name, created_at) VALUES (?1, ?2, ?3) RETURNING {ACCOUNT}"),
            [new.login.as_str().into(), new.display_name.as_str().into(), self.now.into()],
        );
        let results = match self.directory.sql.batch(vec![insert]).await {
            Err(SqlError::Constraint(message)) if message.contains("accounts.login") => {
                return Err(Error::Conflict(format!("the login {} is taken", new.login)));
            }
            other => other?.results,
        };
        let account: Option<Account> = results.first().map(Rows::first).transpose()?.flatten();
        let mut account = account.ok_or_else(|| Error::internal("a new account has no row"))?;
        if let Err(error) = self.create_drive(account.id, new).await {
            self.directory.batch(vec![delete_account(account.id)]).await?;
            return Err(error);
        }
        account.usage.quota = new.quota;
        Ok(account)
    }

    async fn create_drive(&self, account: i64, new: &NewAccount) -> Result<()> {
        let batch = vec![
            Statement::write(
                "INSERT INTO drives (account_id, login, display_name, quota) VALUES (?1, ?2, ?3, ?4)",
                [account.into(), new.login.as_str().into(), new.display_name.as_str().into(), new.quota.into()],
            ),
            Statement::write(
                "INSERT INTO drives (account_id, login, display_name) VALUES (?1, '', '')",
                [(-account).into()],
            ),
            self.make_root(account, ""),
            self.make_root(-account, "trash"),
        ];
        self.drive(account).batch(batch).await?;
        Ok(())
    }

    /// The root of a drive, or of the trash of account -`drive`.
    fn make_root(&self, drive: i64, name: &str) -> Statement {
        Statement::write(
            "INSERT INTO nodes (root_of, name, etag, created_at, modified_at) VALUES (?1, ?2, ?3, ?4, ?4)",
            [drive.into(), name.into(), self.ports.random_hex(10).into(), self.now.into()],
        )
    }

    /// All accounts in the order of their making, or the one of that login.
    pub async fn list(&self, login: Option<String>) -> Result<Vec<Account>> {
        let statement = Statement::read(
            format!("SELECT {ACCOUNT} FROM accounts WHERE ?1 IS NULL OR login = ?1 ORDER BY id"),
            [login.into()],
        );
        let results = self.directory.batch(vec![statement]).await?;
        let mut accounts: Vec<Account> = results.first().map(Rows::parse).transpose()?.unwrap_or_default();
        for account in &mut accounts {
            account.usage = self.usage(account.id).await?;
        }
        Ok(accounts)
    }

    /// One account; 404 where there is none of that number.
    pub async fn get(&self, id: i64) -> Result<Account> {
        let statement = Statement::read(format!("SELECT {ACCOUNT} FROM accounts WHERE id = ?1"), [id.into()]);
        let results = self.directory.batch(vec![statement]).await?;
        let account: Option<Account> = results.first().map(Rows::first).transpose()?.flatten();
        let mut account = account.ok_or(Error::NotFound("the account"))?;
        account.usage = self.usage(id).await?;
        Ok(account)
    }

    async fn usage(&self, account: i64) -> Result<Usage> {
        let statement = Statement::read(
            "SELECT d.quota, r.size + b.size + d.version_bytes AS used FROM drives d \
               JOIN nodes r ON r.root_of = d.account_id JOIN nodes b ON b.root_of = -d.account_id \
             WHERE d.account_id = ?1",
            [account.into()],
        );
        let results = self.drive(account).batch(vec![statement]).await?;
        Ok(results.first().map(Rows::first).transpose()?.flatten().unwrap_or_default())
    }

    /// Changes an account; 404 where there is none of that number.
    pub async fn change(&self, id: i64, change: &AccountChange) -> Result<Account> {
        if let Some(name) = &change.display_name {
            let statement = |table, key| {
                Statement::write(
                    format!("UPDATE {table} SET display_name = ?2 WHERE {key} = ?1"),
                    [id.into(), name.as_str().into()],
                )
            };
            self.directory.batch(vec![statement("accounts", "id")]).await?;
            self.drive(id).batch(vec![statement("drives", "account_id")]).await?;
        }
        if let QuotaChange::Set(quota) = change.quota {
            let statement =
                Statement::write("UPDATE drives SET quota = ?2 WHERE account_id = ?1", [id.into(), quota.into()]);
            self.drive(id).batch(vec![statement]).await?;
        }
        self.get(id).await
    }

    /// Deletes an account with all that its drive holds; its blobs become garbage.
    pub async fn delete(&self, id: i64) -> Result<()> {
        self.get(id).await?;
        // The tokens go first, so that nobody writes to what goes after them.
        let of_account =
            |table: &str| Statement::write(format!("DELETE FROM {table} WHERE account_id = ?1"), [id.into()]);
        let nodes = Statement::write(
            "WITH RECURSIVE below(id) AS (SELECT id FROM nodes WHERE root_of IN (?1, -?1) \
               UNION ALL SELECT n.id FROM below b CROSS JOIN nodes n ON n.parent_id = b.id) \
             DELETE FROM nodes WHERE id IN (SELECT id FROM below)",
            [id.into()],
        );
        let drives = Statement::write("DELETE FROM drives WHERE account_id IN (?1, -?1)", [id.into()]);
        self.drive(id)
            .batch(vec![of_account("tokens"), of_account("webhooks"), of_account("jobs"), nodes, drives])
            .await?;
        self.directory.batch(vec![delete_account(id)]).await?;
        Ok(())
    }

    fn drive(&self, account: i64) -> Database {
        Database { sql: self.ports.databases.drive(account), meter: self.meter.clone() }
    }
}

fn delete_account(id: i64) -> Statement {
    Statement::write("DELETE FROM accounts WHERE id = ?1", [id.into()])
}
