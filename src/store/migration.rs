//! The schema. `migrations/` is its one source for every runtime: wrangler applies the files to D1,
//! and where nobody does that, the program does it here before its first request.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ports::{Sql, SqlError, Statement};

/// The files of `migrations/`, in order. The number of one is its place, from 1.
const MIGRATIONS: [&str; 9] = [
    include_str!("../../migrations/0001_drive.sql"),
    include_str!("../../migrations/0002_jobs.sql"),
    include_str!("../../migrations/0003_scan.sql"),
    include_str!("../../migrations/0004_sync.sql"),
    include_str!("../../migrations/0005_trash.sql"),
    include_str!("../../migrations/0006_metadata.sql"),
    include_str!("../../migrations/0007_login.sql"),
    include_str!("../../migrations/0008_linked_uploads.sql"),
    include_str!("../../migrations/0009_door.sql"),
];

#[derive(Deserialize)]
struct Applied {
    version: i64,
}

/// Applies what the database lacks. Several instances may do this at once: each migration is one
/// batch that begins with its number, and the number is unique.
///
/// A database that a newer program has migrated is refused: this one would not understand it.
pub async fn migrate(sql: &dyn Sql) -> Result<()> {
    let known = i64::try_from(MIGRATIONS.len()).map_err(Error::internal)?;
    loop {
        let applied = applied(sql).await?;
        if applied > known {
            return Err(Error::NewerDatabase { database: applied, program: known });
        }
        let Some(migration) = usize::try_from(applied).ok().and_then(|next| MIGRATIONS.get(next)) else {
            return Ok(());
        };
        let number = Statement::write("INSERT INTO schema_versions (version) VALUES (?1)", [(applied + 1).into()]);
        let statements = split(migration).into_iter().map(|sql| Statement::write(sql, []));
        match sql.batch([number].into_iter().chain(statements).collect()).await {
            // Another instance was faster.
            Ok(_) | Err(SqlError::Constraint(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The number of the last migration that was applied; 0 in an empty database.
async fn applied(sql: &dyn Sql) -> Result<i64> {
    let statements = vec![
        Statement::write("CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY) STRICT", []),
        Statement::read("SELECT coalesce(max(version), 0) AS version FROM schema_versions", []),
    ];
    let results = sql.batch(statements).await?;
    let row: Option<Applied> = results.results.get(1).map(crate::ports::Rows::first).transpose()?.flatten();
    Ok(row.map_or(0, |row| row.version))
}

/// The statements of a migration. One ends with a line that ends with a semicolon; a trigger, with
/// the line `END;`.
fn split(migration: &'static str) -> Vec<&'static str> {
    let mut statements = Vec::new();
    let (mut start, mut end) = (0, 0);
    for line in migration.split_inclusive('\n') {
        end += line.len();
        let statement = &migration[start..end];
        let is_trigger = statement.lines().any(|line| line.starts_with("CREATE TRIGGER"));
        let line = line.trim_end();
        if line == "END;" || (line.ends_with(';') && !is_trigger) {
            statements.push(statement.trim());
            start = end;
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::native::NativeSql;

    #[test]
    fn every_file_is_there_and_split_to_its_end() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let texts: Vec<String> = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        assert_eq!(texts, MIGRATIONS);
        for migration in MIGRATIONS {
            let without_space = |text: &str| text.split_whitespace().collect::<String>();
            assert_eq!(without_space(&split(migration).concat()), without_space(migration));
        }
    }

    async fn schema(sql: &NativeSql) -> String {
        let select = Statement::read("SELECT name, sql FROM sqlite_schema ORDER BY name", []);
        sql.batch(vec![select]).await.unwrap().results[0].0.clone()
    }

    #[tokio::test]
    async fn the_split_statements_make_the_schema_of_the_whole_file() {
        let (split, whole) = (NativeSql::open_in_memory(), NativeSql::open_empty_in_memory());
        applied(&whole).await.unwrap();
        for migration in MIGRATIONS {
            whole.execute(migration);
        }
        assert_eq!(schema(&split).await, schema(&whole).await);
        migrate(&split).await.unwrap();
        assert_eq!(schema(&split).await, schema(&whole).await);
    }

    #[tokio::test]
    async fn a_newer_database_is_refused() {
        let sql = NativeSql::open_in_memory();
        sql.execute("INSERT INTO schema_versions VALUES (99)");
        let refused = migrate(&sql).await.unwrap_err();
        assert!(refused.to_string().contains("99"), "{refused}");
    }
}
