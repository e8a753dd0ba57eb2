//! The contract of `Sql` and `Databases`, on a migrated database.

use serde_json::{Value as Json, json};

use super::{check, check_equal, done};
use crate::ports::{Databases, Rows, Sql, SqlError, Statement, Value};

const CREATE: [&str; 4] = [
    "DROP TABLE IF EXISTS contract_children",
    "DROP TABLE IF EXISTS contract_parents",
    "CREATE TABLE IF NOT EXISTS contract_parents (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE IF NOT EXISTS contract_children (
       id INTEGER PRIMARY KEY,
       parent_id INTEGER NOT NULL REFERENCES contract_parents(id) ON DELETE CASCADE,
       name TEXT NOT NULL
     ) STRICT",
];

const DROP: [&str; 2] = ["DROP TABLE IF EXISTS contract_children", "DROP TABLE IF EXISTS contract_parents"];

/// Checks the directory and the drive of an account. Leaves no tables or rows behind.
pub async fn sql(databases: &dyn Databases) -> Result<(), String> {
    for database in [databases.directory(), databases.drive(1)] {
        let sql = database.as_ref();
        done(batch(sql, &CREATE).await, "making the scratch tables")?;
        let result = all(sql).await;
        done(batch(sql, &DROP).await, "dropping the scratch tables")?;
        result?;
    }
    Ok(())
}

async fn all(sql: &dyn Sql) -> Result<(), String> {
    values_come_back_as_they_were_bound(sql).await?;
    any_number_of_rows_comes_as_it_is(sql).await?;
    columns_keep_their_names(sql).await?;
    rows_are_in_the_order_asked_for(sql).await?;
    results_are_in_the_order_of_the_statements(sql).await?;
    constraints_are_named(sql).await?;
    guards_abort_the_batch(sql).await?;
    any_error_undoes_the_batch(sql).await?;
    foreign_keys_are_enforced(sql).await?;
    hundred_parameters_and_recursion(sql).await?;
    many_rows_in_one_parameter(sql).await
}

async fn batch(sql: &dyn Sql, statements: &[&'static str]) -> Result<Vec<Rows>, SqlError> {
    let statements = statements.iter().map(|text| Statement::write(*text, [])).collect();
    Ok(sql.batch(statements).await?.results)
}

/// The rows of one statement that only reads.
async fn rows(sql: &dyn Sql, text: impl Into<String>, params: Vec<Value>) -> Result<Vec<Json>, String> {
    rows_of(sql, Statement::read(text.into(), params)).await
}

async fn rows_of(sql: &dyn Sql, statement: Statement) -> Result<Vec<Json>, String> {
    let text = statement.sql.to_string();
    let batch = done(sql.batch(vec![statement]).await, &text)?;
    let [rows] = batch.results.as_slice() else { return Err(format!("not kept: one result a statement: {text}")) };
    done(rows.parse(), &text)
}

async fn values_come_back_as_they_were_bound(sql: &dyn Sql) -> Result<(), String> {
    let text = "quotes ' \" ` \\, lines \r\n\t, 名前, \u{1F5C2}\u{FE0F}, e\u{301}, \u{1}, %_?1";
    for number in [0, 1, -1, 1 << 31, -(1 << 32), (1 << 53) - 1, 1 << 53, -(1 << 53)] {
        let params = vec![text.into(), number.into(), Value::Null, "".into(), true.into()];
        let row = rows(sql, "SELECT ?1 AS text, ?2 AS number, ?3 AS absent, ?4 AS empty, ?5 AS yes", params).await?;
        let expected = json!([{"text": text, "number": number, "absent": null, "empty": "", "yes": 1}]);
        check_equal(&Json::Array(row), &expected, "values come back as they were bound, under the columns' names")?;
    }
    let same = rows(sql, "SELECT ?2 AS a, ?1 AS b, ?1 AS c", vec!["one".into(), "two".into()]).await?;
    check_equal(&same, &vec![json!({"a": "two", "b": "one", "c": "one"})], "?1 is the first parameter")?;
    let none = rows(sql, "SELECT id, name FROM contract_parents", vec![]).await?;
    check_equal(&none, &vec![], "no rows are an empty array")
}

/// An adapter may fetch many rows in another way than few, and remember what it has run.
async fn any_number_of_rows_comes_as_it_is(sql: &dyn Sql) -> Result<(), String> {
    let query = "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < ?1)
         SELECT i, i * 9007199254740 AS large, i + 0.5 AS half, nullif(i % 2, 0) AS odd, 'text \"' || i AS text,
           json_array(i, 'x') AS list, json_object('a', json_array(i)) AS object, json(CAST(i AS TEXT)) AS number,
           (SELECT json_group_array(json_object('v', value)) FROM json_each('[1,\"b\"]')) AS below,
           json('null') AS json_null, '[1]' AS like_json, '' AS empty
         FROM numbers WHERE ?1 > 0";
    let row = |i: i32| {
        json!({
            "i": i, "large": i64::from(i) * 9_007_199_254_740, "half": f64::from(i) + 0.5, "odd": (i % 2 == 1).then_some(1),
            "text": format!("text \"{i}"), "list": format!("[{i},\"x\"]"), "object": format!("{{\"a\":[{i}]}}"),
            "number": i.to_string(), "below": r#"[{"v":1},{"v":"b"}]"#, "json_null": "null", "like_json": "[1]", "empty": "",
        })
    };
    for count in [1, 1000, 0, 15, 16, 17, 1000, 1, 0] {
        let params = [Value::from(i64::from(count))];
        for statement in [Statement::read(query, params.clone()), Statement::write(query, params)] {
            let given = rows_of(sql, statement).await?;
            check_equal(
                &given,
                &(1..=count).map(row).collect(),
                &format!("{count} rows come, JSON in them being text"),
            )?;
        }
    }
    Ok(())
}

async fn columns_keep_their_names(sql: &dyn Sql) -> Result<(), String> {
    let query = "SELECT 1 AS \"it's\", 2 AS \"a b\", 3 AS \"name \u{1F5C2}\", 4 AS \"select\", 5 AS \"C0\", 6 AS \"q\"\"q\", 7 AS rows";
    let expected = json!({"it's": 1, "a b": 2, "name \u{1F5C2}": 3, "select": 4, "C0": 5, "q\"q": 6, "rows": 7});
    let wide: Vec<_> = (1..=100).map(|i| format!("{i} AS column{i}")).collect();
    let expected_wide = (1..=100).map(|i| (format!("column{i}"), Json::from(i))).collect();
    for _ in 0..2 {
        check_equal(&rows(sql, query, vec![]).await?, &vec![expected.clone()], "columns keep their names")?;
        let given = rows(sql, format!("SELECT {}", wide.join(", ")), vec![]).await?;
        check_equal(&given, &vec![Json::Object(serde_json::Map::clone(&expected_wide))], "there may be 100 columns")?;
        let given = rows(sql, "SELECT 1 AS a, 2 AS a, 3 AS b", vec![]).await?;
        check_equal(&given, &vec![json!({"a": 2, "b": 3})], "of two columns with one name, the last counts")?;
    }
    Ok(())
}

async fn rows_are_in_the_order_asked_for(sql: &dyn Sql) -> Result<(), String> {
    let numbers = "WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < 99)";
    let ascending = (0..100).collect::<Vec<i64>>();
    let mut by_rest = ascending.clone();
    by_rest.sort_by_key(|i| i * 37 % 101);
    for (end, expected) in [
        ("SELECT i FROM numbers ORDER BY i * 37 % 101", by_rest.clone()),
        ("SELECT i FROM numbers ORDER BY i * 37 % 101 DESC", by_rest.iter().rev().copied().collect()),
        ("SELECT i FROM numbers ORDER BY i * 37 % 101 LIMIT 40 OFFSET 20", by_rest[20..60].to_vec()),
        ("SELECT max(i) AS i FROM numbers GROUP BY i * 37 % 101 ORDER BY i * 37 % 101", by_rest.clone()),
        (
            "SELECT * FROM (SELECT i FROM numbers WHERE i % 2 = 1 UNION ALL SELECT i FROM numbers WHERE i % 2 = 0) ORDER BY i",
            ascending.clone(),
        ),
    ] {
        let query = format!("{numbers} {end}");
        let expected: Vec<_> = expected.iter().map(|i| json!({"i": i})).collect();
        for _ in 0..2 {
            check_equal(&rows(sql, query.clone(), vec![]).await?, &expected, &format!("rows are in order: {end}"))?;
        }
    }
    Ok(())
}

async fn results_are_in_the_order_of_the_statements(sql: &dyn Sql) -> Result<(), String> {
    let statements = [
        "INSERT INTO contract_parents (name) VALUES ('a'), ('b') RETURNING id, name",
        "UPDATE contract_parents SET name = 'c' WHERE name = 'a'",
        "SELECT name FROM contract_parents ORDER BY name",
        "DELETE FROM contract_parents RETURNING id",
        "SELECT count(*) AS n FROM contract_parents",
    ];
    let results = done(batch(sql, &statements).await, "a batch of five statements")?;
    let results: Vec<Vec<Json>> = done(results.iter().map(Rows::parse).collect(), "rows of every statement")?;
    let expected = [
        vec![json!({"id": 1, "name": "a"}), json!({"id": 2, "name": "b"})],
        vec![],
        vec![json!({"name": "b"}), json!({"name": "c"})],
        vec![json!({"id": 1}), json!({"id": 2})],
        vec![json!({"n": 0})],
    ];
    check_equal(&results, &expected.to_vec(), "each statement sees those before it, and has its own rows")
}

async fn constraints_are_named(sql: &dyn Sql) -> Result<(), String> {
    for (statement, message) in [
        ("INSERT INTO contract_parents VALUES (1, 'a'), (2, 'a')", "UNIQUE constraint failed: contract_parents.name"),
        ("INSERT INTO contract_parents VALUES (1, NULL)", "NOT NULL constraint failed: contract_parents.name"),
        ("INSERT INTO contract_children VALUES (1, 99, 'a')", "FOREIGN KEY constraint failed"),
        ("INSERT INTO guard SELECT 'etag'", "CHECK constraint failed: guard_etag"),
        ("INSERT INTO guard SELECT 'no such guard'", "CHECK constraint failed: guard_unknown"),
    ] {
        expect_constraint(batch(sql, &[statement]).await, message)?;
    }
    Ok(())
}

fn expect_constraint(result: Result<Vec<Rows>, SqlError>, message: &str) -> Result<(), String> {
    match result {
        Err(SqlError::Constraint(text)) if text.contains(message) => Ok(()),
        other => Err(format!("not kept: a constraint is told as {message:?}: got {other:?}")),
    }
}

async fn guards_abort_the_batch(sql: &dyn Sql) -> Result<(), String> {
    let held = "INSERT INTO guard SELECT 'etag' WHERE EXISTS (SELECT 1 FROM contract_parents WHERE name = 'x')";
    let write = "INSERT INTO contract_parents (name) VALUES ('x')";
    done(batch(sql, &[held, write]).await, "a batch whose guard does not fire")?;
    expect_constraint(batch(sql, &["DELETE FROM contract_parents", write, held, write]).await, "guard_etag")?;
    let left = rows(sql, "SELECT name FROM contract_parents", vec![]).await?;
    check_equal(&left, &vec![json!({"name": "x"})], "a batch that was aborted changes nothing")?;
    let guards = rows(sql, "SELECT count(*) AS n FROM guard", vec![]).await?;
    check_equal(&guards, &vec![json!({"n": 0})], "the table guard stays empty")?;
    done(batch(sql, &["DELETE FROM contract_parents"]).await, "emptying the table")?;
    Ok(())
}

async fn any_error_undoes_the_batch(sql: &dyn Sql) -> Result<(), String> {
    let write = "INSERT INTO contract_parents (name) VALUES ('x')";
    for wrong in ["SELECT no_such_column FROM contract_parents", "SELECT json('{')", "not SQL"] {
        let result = batch(sql, &[write, wrong]).await;
        check(matches!(result, Err(SqlError::Failed(_))), &format!("{wrong:?} is a failure, and not a constraint"))?;
        let left = rows(sql, "SELECT count(*) AS n FROM contract_parents", vec![]).await?;
        check_equal(&left, &vec![json!({"n": 0})], &format!("{wrong:?} undoes the statement before it"))?;
    }
    Ok(())
}

async fn foreign_keys_are_enforced(sql: &dyn Sql) -> Result<(), String> {
    let statements = [
        "INSERT INTO contract_parents VALUES (1, 'kept'), (2, 'deleted')",
        "INSERT INTO contract_children VALUES (1, 1, 'kept'), (2, 2, 'deleted')",
        "DELETE FROM contract_parents WHERE id = 2",
    ];
    done(batch(sql, &statements).await, "deleting a parent")?;
    let left = rows(sql, "SELECT name FROM contract_children", vec![]).await?;
    check_equal(&left, &vec![json!({"name": "kept"})], "ON DELETE CASCADE works")?;
    done(batch(sql, &["DELETE FROM contract_parents"]).await, "emptying the tables")?;
    Ok(())
}

async fn hundred_parameters_and_recursion(sql: &dyn Sql) -> Result<(), String> {
    let list = (1..=100).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ");
    let query = format!(
        "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 1000)
         SELECT count(*) AS n FROM numbers WHERE i IN ({list})"
    );
    let params = (1..=100).map(|i| Value::from(i * 10)).collect();
    check_equal(&rows(sql, query, params).await?, &vec![json!({"n": 100})], "100 parameters and recursion work")
}

async fn many_rows_in_one_parameter(sql: &dyn Sql) -> Result<(), String> {
    let names: Vec<String> = (1..=5_000).map(|i| format!("näme \"{i}\" \u{1F5C2}")).collect();
    let insert = "INSERT INTO contract_parents (id, name) SELECT key + 1, value FROM json_each(?1) RETURNING id";
    let mut inserted = rows_of(sql, Statement::write(insert, [json!(names).to_string().into()])).await?;
    inserted.sort_by_key(|row| row["id"].as_i64());
    let expected: Vec<_> = (1..=5_000).map(|id| json!({"id": id})).collect();
    check(inserted == expected, "5,000 rows that were written come back")?;
    let all = rows(sql, "SELECT id, name FROM contract_parents ORDER BY id", vec![]).await?;
    let expected: Vec<Json> = (1..).zip(&names).map(|(id, name)| json!({"id": id, "name": name})).collect();
    check(all == expected, "5,000 rows go in by one parameter and come back")
}
