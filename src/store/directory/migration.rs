//! The schema. `migrations/` is its one source for every runtime: wrangler applies the files to D1,
//! and where nobody does that, the program does it here before its first request.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::ports::{Sql, SqlError, Statement};

/// The files of `migrations/`, in order. The number of one is its place, from 1.
const MIGRATIONS: [&str; 10] = [
    include_str!("../../../migrations/0001_drive.sql"),
    include_str!("../../../migrations/0002_jobs.sql"),
    include_str!("../../../migrations/0003_scan.sql"),
    include_str!("../../../migrations/0004_sync.sql"),
    include_str!("../../../migrations/0005_trash.sql"),
    include_str!("../../../migrations/0006_metadata.sql"),
    include_str!("../../../migrations/0007_login.sql"),
    include_str!("../../../migrations/0008_linked_uploads.sql"),
    include_str!("../../../migrations/0009_door.sql"),
    include_str!("../../../migrations/0010_jobs.sql"),
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
    apply(sql, &MIGRATIONS).await
}

async fn apply(sql: &dyn Sql, migrations: &[&'static str]) -> Result<()> {
    let known = i64::try_from(migrations.len()).map_err(Error::internal)?;
    loop {
        let applied = applied(sql).await?;
        if applied > known {
            return Err(Error::NewerDatabase { database: applied, program: known });
        }
        let Some(migration) = usize::try_from(applied).ok().and_then(|next| migrations.get(next)) else {
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

    /// Rows of a drive with something of everything, and the migration that made each table.
    const ROWS: [(usize, &str); 20] = [
        (1, "INSERT INTO accounts (id, login, display_name, created_at) VALUES (1, 'me', 'Me', 1)"),
        (1, "INSERT INTO drives (account_id, login, display_name, version_bytes) VALUES (1, 'me', 'Me', 0)"),
        (1, "INSERT INTO contents (id, size, sha1, md5, sha256) VALUES ('c', 5, 'a', 'b', 'c')"),
        (1, "INSERT INTO parts VALUES ('c', 0, '1/blob', 5, 'k1:key')"),
        (
            1,
            "INSERT INTO nodes (id, root_of, name, size, files, folders, etag, created_at, modified_at) \
               VALUES (1, 1, '', 5, 1, 1, 'e1', 1, 1)",
        ),
        (5, "INSERT INTO drives (account_id, login, display_name) VALUES (-1, '', '')"),
        (
            5,
            "INSERT INTO nodes (id, root_of, name, folders, etag, created_at, modified_at) VALUES (9, -1, 'trash', 1, 'e9', 1, 1)",
        ),
        (
            1,
            "INSERT INTO nodes (id, parent_id, name, size, files, etag, created_at, modified_at) \
               VALUES (2, 1, 'folder', 5, 1, 'e2', 1, 1)",
        ),
        (
            1,
            "INSERT INTO nodes (id, parent_id, name, content_id, size, etag, created_at, modified_at) \
               VALUES (3, 2, 'file', 'c', 5, 'e3', 1, 1)",
        ),
        (
            1,
            "INSERT INTO versions (account_id, node_id, content_id, size, modified_at, replaced_at) VALUES (1, 3, 'c', 5, 1, 1)",
        ),
        (1, "INSERT INTO properties (node_id, namespace, name, value, lang) VALUES (3, 'urn:x', 'p', 'value', 'de')"),
        (
            1,
            "INSERT INTO locks (token, account_id, node_id, exclusive, infinite, owner, timeout_s, expires_at) \
               VALUES ('l', 1, 3, 1, 0, '', 60, 1)",
        ),
        (
            1,
            "INSERT INTO tokens (id, account_id, hash, name, scopes, folder_id, created_at) VALUES (1, 1, 'h', 't', 'read', 2, 1)",
        ),
        (1, "INSERT INTO blob_garbage (blob_key, due_at) VALUES ('1/garbage', 1)"),
        (
            2,
            "INSERT INTO webhooks (id, account_id, url, secret, events, created_at) VALUES (1, 1, 'u', 's', 'file.created', 1)",
        ),
        (
            2,
            "INSERT INTO jobs (account_id, kind, subject, payload, due_at, created_at) VALUES (1, 'webhook', 1, '{}', 1, 1); \
             INSERT INTO deliveries (webhook_id, event_id, event, attempt, at, duration_ms) VALUES (1, 'i', '{}', 1, 1, 1)",
        ),
        (3, "INSERT INTO scanner VALUES (1, 1, 1, 'away'); INSERT INTO rescan VALUES (1, '', '', 1, 1, NULL)"),
        (
            5,
            "INSERT INTO nodes (id, parent_id, name, etag, created_at, modified_at) VALUES (10, 9, '10', 'e10', 1, 1); \
             INSERT INTO trashed VALUES (10, 1, 'gone', 2, 'gone', 1)",
        ),
        (6, "INSERT INTO tags (account_id, tag, node_id) VALUES (1, 'tag', 3)"),
        (7, "INSERT INTO logins (page, poll, client, expires_at) VALUES ('p', 'q', 'c', 1)"),
    ];

    /// An upload, first of an account, then of a token.
    const UPLOADS: [&str; 2] = [
        "INSERT INTO uploads (id, account_id, name, created_at, expires_at) VALUES (1, 1, 'u', 1, 1); \
         INSERT INTO chunks VALUES (1, '1', 1, '1/chunk', 7, 'k1:key', 1)",
        "INSERT INTO uploads (id, account_id, token_id, name, created_at, expires_at) VALUES (1, 1, 1, 'u', 1, 1); \
         INSERT INTO chunks VALUES (1, '1', 1, '1/chunk', 7, 'k1:key', 1, 1)",
    ];

    async fn number(sql: &NativeSql, query: &'static str) -> i64 {
        let rows = sql.batch(vec![Statement::read(query, [])]).await.unwrap().results.remove(0);
        rows.first::<std::collections::HashMap<String, i64>>().unwrap().unwrap().into_values().next().unwrap()
    }

    #[tokio::test]
    async fn a_database_of_each_earlier_version_is_migrated_with_all_that_it_holds() {
        for version in 1..MIGRATIONS.len() {
            let sql = NativeSql::open_empty_in_memory();
            apply(&sql, &MIGRATIONS[..version]).await.unwrap();
            ROWS.iter().filter(|(since, _)| *since <= version).for_each(|(_, row)| sql.execute(row));
            // Rows of before have to be counted, others are.
            let is_of_token = version >= 9;
            if version >= 4 {
                sql.execute(UPLOADS[usize::from(is_of_token)]);
            }
            migrate(&sql).await.unwrap();
            assert_eq!(number(&sql, "SELECT count(*) FROM pragma_foreign_key_check").await, 0, "{version}");
            let tag = if version >= 6 { 64 + 3 } else { 0 };
            // A chunk of nobody's is garbage.
            let is_abandoned = (4..9).contains(&version);
            for (query, expected) in [
                ("SELECT count(*) FROM nodes WHERE id <= 3", 3),
                ("SELECT count(*) FROM versions", 1),
                ("SELECT account_id FROM properties", i64::from(!is_of_token)),
                ("SELECT locks FROM drives WHERE account_id = 1", 1),
                ("SELECT count(*) FROM nodes WHERE root_of = -1", 1),
                ("SELECT version_bytes FROM drives WHERE account_id = 1", 5),
                (
                    "SELECT property_bytes FROM drives WHERE account_id = 1",
                    if is_of_token { tag } else { 64 + 13 + tag },
                ),
                ("SELECT upload_bytes FROM drives WHERE account_id = 1", if is_of_token { 7 } else { 0 }),
                ("SELECT count(*) FROM uploads", i64::from(is_of_token)),
                ("SELECT count(*) FROM blob_garbage", if is_abandoned { 2 } else { 1 }),
            ] {
                assert_eq!(number(&sql, query).await, expected, "version {version}: {query}");
            }
        }
    }

    #[tokio::test]
    async fn a_newer_database_is_refused() {
        let sql = NativeSql::open_in_memory();
        sql.execute("INSERT INTO schema_versions VALUES (99)");
        let refused = migrate(&sql).await.unwrap_err();
        assert!(refused.to_string().contains("99"), "{refused}");
    }
}
