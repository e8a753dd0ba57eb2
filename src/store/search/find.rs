//! Finding nodes below a folder, by their tags or by what their rows say: one statement.
//!
//! A search by tags or by number walks up from the few nodes that may be meant. Any other walks down from the folder, and
//! reads a row for each node below it, up to [`MOST_VISITED`].

use serde::Deserialize;

use super::filter::Filter;
use super::params::Params;
use crate::error::Result;
use crate::ports::{Rows, Statement};
use crate::store::door::address::{Address, Credentials, Detail};
use crate::store::door::drive::Drive;
use crate::store::door::query::{columns, start, target, way};
use crate::store::ground::node::Node;

/// The most nodes that one search visits.
pub const MOST_VISITED: i64 = 100_000;

/// What to look for below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Where to look.
    pub among: Among,
    /// What must hold.
    pub filter: Filter,
    /// By what to sort, the weightiest first. Nodes that are equal in that are in the order of their numbers.
    pub order: Vec<(SortKey, Direction)>,
    /// The most nodes to find, after `offset`.
    pub limit: i64,
    /// How many of the first nodes are left out.
    pub offset: i64,
}

impl Search {
    /// Whether it looks at everything below the folder.
    pub fn walks_down(&self) -> bool {
        matches!(self.among, Among::Below(_))
    }
}

/// Which nodes below the folder are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Among {
    /// Those that are so many levels below it, or fewer.
    Below(i64),
    /// Those that are marked with all these tags.
    Tagged(Vec<String>),
    /// The one of that number.
    Number(i64),
}

/// A column to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The name, by code points.
    Name,
    /// Bytes.
    Size,
    /// The last modification.
    ModifiedAt,
    /// When it was made.
    CreatedAt,
    /// The number.
    Id,
}

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least.
    Ascending,
    /// The greatest.
    Descending,
}

/// A node that was found.
#[derive(Debug, Deserialize)]
pub struct FoundNode {
    /// Its row.
    #[serde(flatten)]
    pub node: Node,
    /// The names from the folder to it, with slashes between them.
    pub path: String,
}

/// The path from the folder to a node `n`; NULL where the node is not below it.
const PATH: &str = "(WITH RECURSIVE up(parent_id, path) AS ( \
   SELECT n.parent_id, n.name \
   UNION ALL SELECT p.parent_id, p.name || '/' || up.path FROM up CROSS JOIN nodes p ON p.id = up.parent_id \
     WHERE up.parent_id <> (SELECT id FROM scope)) \
 SELECT path FROM up WHERE parent_id = (SELECT id FROM scope))";

impl Drive {
    /// The statement that finds nodes below the folder at `address`; it goes with the view of that folder.
    pub fn find(&self, credentials: &Credentials, address: &Address, search: &Search, detail: Detail) -> Statement {
        let mut params = Params(self.start_params(credentials, address));
        params.add(self.now);
        let (limit, offset) = (params.add(search.limit), params.add(search.offset));
        let is_below = match search.among {
            Among::Below(_) => String::new(),
            Among::Tagged(_) | Among::Number(_) => format!(" AND {PATH} IS NOT NULL"),
        };
        let candidates = candidates(&search.among, &mut params);
        let filter = search.filter.sql(&mut params);
        let order = order(&search.order);
        let (start, way, target, columns) = (start(address), way(address), target(address), columns(detail));
        let sql = format!(
            "WITH RECURSIVE {start}, {way}, scope(id) AS MATERIALIZED ({target}), {candidates}, \
             found(id) AS MATERIALIZED (SELECT n.id FROM candidates c CROSS JOIN nodes n ON n.id = c.id \
               WHERE ({filter}){is_below} ORDER BY {order} LIMIT {limit} OFFSET {offset}) \
             SELECT {columns}, {PATH} AS path FROM found f CROSS JOIN nodes n ON n.id = f.id ORDER BY {order}"
        );
        Statement::read(sql, params.0)
    }

    /// What the statement of `find` gave.
    pub fn found(&self, rows: Option<&Rows>) -> Result<Vec<FoundNode>> {
        Ok(rows.map(Rows::parse).transpose()?.unwrap_or_default())
    }
}

fn candidates(among: &Among, params: &mut Params) -> String {
    match among {
        Among::Below(depth) => {
            let (depth, most) = (params.add(*depth), params.add(MOST_VISITED));
            format!(
                "candidates(id, depth) AS (SELECT id, 1 FROM nodes WHERE parent_id = (SELECT id FROM scope) \
                 UNION ALL SELECT n.id, c.depth + 1 FROM candidates c CROSS JOIN nodes n ON n.parent_id = c.id \
                   WHERE c.depth < {depth} LIMIT {most})"
            )
        }
        Among::Tagged(tags) => {
            let count = tags.len();
            let tags = params.add(serde_json::json!(tags).to_string());
            format!(
                "candidates(id) AS (SELECT t.node_id FROM json_each({tags}) j \
                   CROSS JOIN tags t ON t.account_id = ?2 AND t.tag = j.value \
                   GROUP BY t.node_id HAVING count(*) = {count})"
            )
        }
        Among::Number(id) => format!("candidates(id) AS (SELECT id FROM nodes WHERE id = {})", params.add(*id)),
    }
}

fn order(keys: &[(SortKey, Direction)]) -> String {
    let keys = keys.iter().map(|(key, direction)| {
        let column = match key {
            SortKey::Name => "n.name",
            SortKey::Size => "n.size",
            SortKey::ModifiedAt => "n.modified_at",
            SortKey::CreatedAt => "n.created_at",
            SortKey::Id => "n.id",
        };
        format!("{column} {}, ", if *direction == Direction::Ascending { "ASC" } else { "DESC" })
    });
    keys.collect::<Vec<_>>().concat() + "n.id"
}
