//! Accounts: a row in the directory and a drive of its own.

use std::collections::HashMap;
use std::rc::Rc;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ports::{Millis, Ports, SqlError, Statement};
use crate::store::ground::database::{Database, Meter, Results};
use crate::store::tree::purge;

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
    account_id: i64,
    /// Bytes that it may hold; none for no limit.
    pub quota: Option<i64>,
    /// Bytes that it holds, earlier versions included.
    pub used: i64,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: i64,
}

const ACCOUNT: &str = "id, login, display_name, created_at";

impl Accounts {
    /// The accounts of the deployment behind `ports`.
    pub fn open(ports: &Ports, meter: &Rc<Meter>) -> Self {
        let directory = Database { sql: ports.databases.directory(), meter: meter.clone() };
        Self { ports: ports.clone(), meter: meter.clone(), directory, now: ports.clock.now() }
    }

    /// Whether the directory answers: an error where it does not. Reads nothing.
    pub async fn answer(&self) -> Result<()> {
        self.directory.batch(vec![Statement::read("SELECT 1 AS one", [])]).await.map(|_| ())
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
            other => Results(other?.results),
        };
        let account: Option<Account> = results.one(0)?;
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

    /// Accounts in the order of their making, after a number and up to a number of them; of a login, the one that has it.
    pub async fn list(&self, login: Option<String>, after: i64, limit: i64) -> Result<Vec<Account>> {
        let statement = Statement::read(
            format!("SELECT {ACCOUNT} FROM accounts WHERE id > ?1 AND (?2 IS NULL OR login = ?2) ORDER BY id LIMIT ?3"),
            [after.into(), login.into(), limit.into()],
        );
        let results = self.directory.batch(vec![statement]).await?;
        let mut accounts: Vec<Account> = results.all(0)?;
        let ids: Vec<i64> = accounts.iter().map(|account| account.id).collect();
        let mut usages = HashMap::new();
        for shard in self.ports.databases.shards() {
            let shard = Database { sql: shard, meter: self.meter.clone() };
            usages.extend(usages_in(&shard, &ids).await?.into_iter().map(|usage| (usage.account_id, usage)));
        }
        for account in &mut accounts {
            account.usage = usages.remove(&account.id).unwrap_or_default();
        }
        Ok(accounts)
    }

    /// One account; 404 where there is none of that number.
    pub async fn get(&self, id: i64) -> Result<Account> {
        let statement = Statement::read(format!("SELECT {ACCOUNT} FROM accounts WHERE id = ?1"), [id.into()]);
        let results = self.directory.batch(vec![statement]).await?;
        let account: Option<Account> = results.one(0)?;
        let mut account = account.ok_or(Error::NotFound("the account"))?;
        account.usage = usages_in(&self.drive(id), &[id]).await?.pop().unwrap_or_default();
        Ok(account)
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

    /// Deletes an account with all that its drive holds; its blobs become garbage. What is large is deleted by a job, which
    /// nobody sees: the login is free at once.
    pub async fn delete(&self, id: i64) -> Result<()> {
        self.get(id).await?;
        // The tokens go first, so that nobody writes to what goes after them.
        let of_account =
            |table: &str| Statement::write(format!("DELETE FROM {table} WHERE account_id = ?1"), [id.into()]);
        let mut batch = vec![of_account("tokens"), of_account("webhooks"), of_account("jobs")];
        if self.nodes(id).await? <= purge::MOST {
            batch.push(Statement::write(
                "WITH RECURSIVE below(id) AS (SELECT id FROM nodes WHERE root_of IN (?1, -?1) \
                   UNION ALL SELECT n.id FROM below b CROSS JOIN nodes n ON n.parent_id = b.id) \
                 DELETE FROM nodes WHERE id IN (SELECT id FROM below)",
                [id.into()],
            ));
            batch.push(Statement::write("DELETE FROM drives WHERE account_id IN (?1, -?1)", [id.into()]));
        } else {
            batch.push(purge::purge_drive(id, self.now));
        }
        self.drive(id).batch(batch).await?;
        self.directory.batch(vec![delete_account(id)]).await?;
        Ok(())
    }

    /// How many files and folders a drive has, those in the trash among them.
    async fn nodes(&self, account: i64) -> Result<i64> {
        let statement = Statement::read(
            "SELECT coalesce(sum(1 + files + folders), 0) AS nodes FROM nodes WHERE root_of IN (?1, -?1)",
            [account.into()],
        );
        let results = self.drive(account).batch(vec![statement]).await?;
        let row: Option<Nodes> = results.one(0)?;
        Ok(row.map_or(0, |row| row.nodes))
    }

    fn drive(&self, account: i64) -> Database {
        Database { sql: self.ports.databases.drive(account), meter: self.meter.clone() }
    }
}

/// What the drives of these accounts say, of those that are in that database. One round trip.
async fn usages_in(database: &Database, accounts: &[i64]) -> Result<Vec<Usage>> {
    let statement = Statement::read(
        "SELECT d.account_id, d.quota, r.size + b.size + d.version_bytes AS used FROM json_each(?1) a \
           CROSS JOIN drives d ON d.account_id = a.value CROSS JOIN nodes r ON r.root_of = d.account_id \
           CROSS JOIN nodes b ON b.root_of = -d.account_id",
        [serde_json::json!(accounts).to_string().into()],
    );
    let results = database.batch(vec![statement]).await?;
    results.all(0)
}

fn delete_account(id: i64) -> Statement {
    Statement::write("DELETE FROM accounts WHERE id = ?1", [id.into()])
}
