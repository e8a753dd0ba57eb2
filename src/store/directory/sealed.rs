//! What is sealed under master keys, and so which of them are needed.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde::Deserialize;

use crate::error::Result;
use crate::ports::{Ports, Sql, Statement};
use crate::store::ground::database::{Database, Meter};

/// The columns of a drive that `MasterKeys::seal` and `wrap` fill, and then those of the directory.
const IN_DRIVES: [(&str, &str); 3] = [("parts", "wrapped_key"), ("chunks", "wrapped_key"), ("webhooks", "secret")];
const IN_DIRECTORY: [(&str, &str); 1] = [("logins", "granted")];

/// How often a key is needed in one place.
#[derive(Debug, Clone, Deserialize)]
pub struct KeyUse {
    /// The key's id.
    pub id: String,
    /// The column, as `table.column`.
    pub place: String,
    /// How many rows are sealed under it there.
    pub count: i64,
}

#[derive(Deserialize)]
struct Seen {
    id: String,
}

/// The master keys of a deployment, as its databases know them.
pub struct SealedKeys {
    directory: Database,
    drives: Vec<Database>,
}

impl SealedKeys {
    /// Those of the deployment behind `ports`.
    pub fn open(ports: &Ports, meter: &Rc<Meter>) -> Self {
        let database = |sql: Rc<dyn Sql>| Database { sql, meter: Rc::clone(meter) };
        let drives = ports.databases.shards().into_iter().map(database).collect();
        Self { directory: database(ports.databases.directory()), drives }
    }

    /// Counts what is sealed, by key and place: reads all of it. An id that nothing needs is seen no more.
    pub async fn count(&self) -> Result<Vec<KeyUse>> {
        let mut uses: Vec<KeyUse> = Vec::new();
        for database in &self.drives {
            uses.extend(count_in(database, &IN_DRIVES).await?);
        }
        uses.extend(count_in(&self.directory, &IN_DIRECTORY).await?);
        let needed: BTreeSet<&str> = uses.iter().map(|of| of.id.as_str()).collect();
        for id in self.seen().await?.iter().filter(|id| !needed.contains(id.as_str())) {
            for database in self.drives.iter().chain([&self.directory]) {
                database.batch(vec![forget(id)]).await?;
            }
        }
        Ok(uses)
    }

    /// The ids of all keys that something was sealed under since they were counted last. Reads little.
    pub async fn seen(&self) -> Result<BTreeSet<String>> {
        let mut seen = BTreeSet::new();
        for database in self.drives.iter().chain([&self.directory]) {
            let results = database.batch(vec![Statement::read("SELECT id FROM master_keys", [])]).await?;
            let rows: Vec<Seen> = results.all(0)?;
            seen.extend(rows.into_iter().map(|row| row.id));
        }
        Ok(seen)
    }
}

async fn count_in(database: &Database, columns: &[(&str, &str)]) -> Result<Vec<KeyUse>> {
    let sealed: Vec<String> = columns
        .iter()
        .map(|(table, column)| format!("SELECT '{table}.{column}' AS place, {column} AS sealed FROM {table}"))
        .collect();
    let statement = Statement::read(
        format!(
            "SELECT substr(sealed, 1, instr(sealed, ':') - 1) AS id, place, count(*) AS count FROM ({}) \
             WHERE sealed IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
            sealed.join(" UNION ALL ")
        ),
        [],
    );
    let results = database.batch(vec![statement]).await?;
    results.all(0)
}

/// Forgets a key, unless something has been sealed under it since it was counted.
fn forget(id: &str) -> Statement {
    let unused: Vec<String> = IN_DRIVES
        .iter()
        .chain(&IN_DIRECTORY)
        .map(|(table, column)| {
            format!("NOT EXISTS (SELECT 1 FROM {table} WHERE substr({column}, 1, instr({column}, ':') - 1) = ?1)")
        })
        .collect();
    Statement::write(format!("DELETE FROM master_keys WHERE id = ?1 AND {}", unused.join(" AND ")), [id.into()])
}
