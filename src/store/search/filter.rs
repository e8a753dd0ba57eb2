//! What must hold for a node that is searched, as an expression of SQL over its row `n`.

use super::params::Params;
/// The media type of folders in Nextcloud's searches.
use super::pattern::Pattern;
use crate::store::ground::node::guess_mime;
use crate::store::tree::metadata::FAVORITE;

const FOLDER_TYPE: &str = "httpd/unix-directory";

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of them hold; so do all of none.
    And(Vec<Filter>),
    /// One of them holds.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A number compares like that with another.
    Number(Number, Relation, i64),
    /// The name is like a pattern.
    Name(Pattern),
    /// The media type is like a pattern; that of a folder is `httpd/unix-directory`.
    Type(Pattern),
    /// It is a favourite.
    Favorite,
    /// It is a folder.
    Folder,
}

/// A number that a node has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// Its number.
    Id,
    /// Bytes.
    Size,
    /// Seconds since 1970 of the last modification.
    Modified,
    /// Seconds since 1970 when it was made.
    Created,
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Equal
    Eq,
    /// Less
    Lt,
    /// Greater
    Gt,
    /// Less or equal
    Lte,
    /// Greater or equal
    Gte,
}

impl Filter {
    /// The expression: 1 or 0, never NULL.
    pub(super) fn sql(&self, params: &mut Params) -> String {
        match self {
            Self::And(all) => join(all, " AND ", "1", params),
            Self::Or(any) => join(any, " OR ", "0", params),
            Self::Not(filter) => format!("NOT ({})", filter.sql(params)),
            Self::Number(number, relation, value) => {
                format!("{} {} {}", number.sql(), relation.sql(), params.add(*value))
            }
            Self::Name(pattern) => pattern.sql("n.name", params),
            Self::Type(pattern) => type_sql(pattern, params),
            Self::Favorite => {
                format!("EXISTS (SELECT 1 FROM tags WHERE node_id = n.id AND tag = {})", params.add(FAVORITE))
            }
            Self::Folder => "n.content_id IS NULL".to_owned(),
        }
    }
}

fn join(filters: &[Filter], with: &str, none: &str, params: &mut Params) -> String {
    let all: Vec<_> = filters.iter().map(|filter| format!("({})", filter.sql(params))).collect();
    if all.is_empty() { none.to_owned() } else { all.join(with) }
}

impl Number {
    fn sql(self) -> &'static str {
        match self {
            Self::Id => "n.id",
            Self::Size => "n.size",
            Self::Modified => "n.modified_at / 1000",
            Self::Created => "n.created_at / 1000",
        }
    }
}

impl Relation {
    fn sql(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Lt => "<",
            Self::Gt => ">",
            Self::Lte => "<=",
            Self::Gte => ">=",
        }
    }
}

/// The extension of a name in lower case; empty where there is none.
const EXTENSION: &str = "CASE WHEN instr(substr(n.name, 2), '.') > 0 \
   THEN lower(substr(n.name, length(rtrim(n.name, replace(n.name, '.', ''))) + 1)) ELSE '' END";

/// Most files have no type in their row, but the one that the extension of their name suggests: so the extensions are sent
/// whose type is like the pattern or, where the type of anything else is like it, those whose type is not.
fn type_sql(pattern: &Pattern, params: &mut Params) -> String {
    let folder = i32::from(pattern.matches(FOLDER_TYPE));
    let declared = pattern.sql("trim(substr(n.mime, 1, instr(n.mime || ';', ';') - 1))", params);
    let is_like = |extension: &str| pattern.matches(&guess_mime(&format!("a.{extension}")));
    let others = is_like("");
    let known = mime_guess::get_extensions("*", "*").unwrap_or_default();
    let listed: Vec<_> = known.iter().filter(|extension| is_like(extension) != others).collect();
    let listed = params.add(serde_json::json!(listed).to_string());
    let not = if others { "NOT " } else { "" };
    format!(
        "CASE WHEN n.content_id IS NULL THEN {folder} WHEN n.mime IS NOT NULL THEN {declared} \
         ELSE {EXTENSION} {not}IN (SELECT value FROM json_each({listed})) END"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{Sql, Statement};
    use crate::runtime::native::NativeSql;
    use futures_util::FutureExt;
    use proptest::prelude::*;

    /// What SQLite says of an expression over a row with these columns.
    fn says(sql: &NativeSql, filter: &Filter, name: &str, mime: Option<&str>) -> bool {
        let mut params = Params(vec![name.into(), mime.into()]);
        let expression = filter.sql(&mut params);
        let sql_text =
            format!("SELECT ({expression}) AS yes FROM (SELECT ?1 AS name, ?2 AS mime, 'c' AS content_id) n");
        let statement = Statement::read(sql_text, params.0);
        let batch = sql.batch(vec![statement]).now_or_never().unwrap().unwrap();
        let row: serde_json::Value = batch.results[0].first().unwrap().unwrap();
        row["yes"] == 1
    }

    #[test]
    fn types_are_those_of_the_row_or_of_the_extension() {
        let sql = NativeSql::open_in_memory();
        for (pattern, name, mime, found) in [
            ("image/%", "a.jpg", None, true),
            ("image/%", "a.b.PNG", None, true),
            ("image/%", "a.txt", None, false),
            ("image/%", "jpg", None, false),
            ("image/%", ".jpg", None, false),
            ("image/%", "a.txt", Some("image/x-odd"), true),
            ("image/%", "a.jpg", Some("text/x-odd"), false),
            ("text/plain", "a.txt", None, true),
            ("text/x-odd", "a", Some("text/x-odd; charset=utf-8"), true),
            ("application/octet-stream", "nothing", None, true),
            ("application/octet-stream", "a.unknown", None, true),
            ("application/octet-stream", "a.jpg", None, false),
        ] {
            let filter = Filter::Type(Pattern::like(pattern).unwrap());
            assert_eq!(says(&sql, &filter, name, mime), found, "{pattern} {name} {mime:?}");
        }
    }

    proptest! {
        #[test]
        fn a_type_is_found_by_what_its_file_is_served_as(pattern in "(image|text|application)/[a-z%_]{0,6}", ext in "[a-z]{0,4}") {
            let Some(pattern) = Pattern::like(&pattern) else { return Ok(()) };
            let name = format!("a.{ext}");
            let expected = pattern.matches(&guess_mime(&name));
            prop_assert_eq!(says(&NativeSql::open_in_memory(), &Filter::Type(pattern), &name, None), expected);
        }
    }
}
