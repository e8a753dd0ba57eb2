//! Writing: guards that abort a batch when what was read has changed, and the ancestors' totals.

use super::drive::Drive;
use super::trail::Trail;
use crate::error::Result;
use crate::ports::{Statement, Value};
use crate::store::ground::node::Node;

/// What a client demands of the node that it writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expect {
    /// Nothing: whatever is there is replaced.
    #[default]
    Anything,
    /// What was read: the same entity tag, or still nothing.
    Unchanged,
}

/// A name in a folder, with what was read of it: where a node is, or would be.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder's number.
    pub parent: i64,
    /// The name in it.
    pub name: String,
    /// The node that has the name, with its entity tag.
    pub occupant: Option<(i64, String)>,
    /// How many nodes that was, with all that is below it.
    pub(in crate::store) nodes: i64,
    /// Whether `occupant` was read, and is not merely assumed to be none.
    occupant_read: bool,
    /// What the client demands of the occupant.
    pub expect: Expect,
    /// The names from the drive's root to the folder.
    way: String,
    /// Tokens of the locks on the way to it, in order.
    locks: String,
    /// Tokens of the locks below it, in order.
    locks_below: String,
}

impl Place {
    /// The place at the end of `trail`. 409 where its folder does not exist, 403 for the root.
    pub fn of(trail: &Trail) -> Result<Self> {
        let (parent, name) = trail.place()?;
        Ok(Self {
            parent: parent.id,
            name: name.to_owned(),
            occupant: trail.target().map(|node| (node.id, node.etag.clone())),
            nodes: trail.target().map_or(0, Node::count),
            occupant_read: true,
            expect: Expect::Anything,
            way: way(trail, trail.parent_index()),
            locks: lock_tokens(trail),
            locks_below: below_tokens(trail),
        })
    }

    /// The place of a file that was read by itself, for who heeds no locks. None for a drive's root.
    pub(in crate::store) fn of_node(node: &Node) -> Option<Self> {
        Some(Self {
            parent: node.parent_id?,
            name: node.name.clone(),
            occupant: Some((node.id, node.etag.clone())),
            nodes: node.count(),
            occupant_read: true,
            expect: Expect::Unchanged,
            way: String::new(),
            locks: String::new(),
            locks_below: String::new(),
        })
    }

    /// The same place with what the client demands of its occupant.
    #[must_use]
    pub fn expecting(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    /// Whether its occupant was read under locks, which may hold for a member and not for the list
    /// of members, or the other way round.
    pub(in crate::store) fn was_read_under_locks(&self) -> bool {
        self.occupant_read && !self.locks.is_empty()
    }

    /// The names from the drive's root to it, with slashes between them.
    pub(in crate::store) fn location(&self) -> String {
        format!("{}/{}", self.way, self.name).trim_start_matches('/').to_owned()
    }

    /// Another name in the same folder, taken to be vacant.
    #[must_use]
    pub fn renamed(&self, name: &str) -> Self {
        Self { name: name.to_owned(), occupant: None, nodes: 0, occupant_read: false, ..self.clone() }
    }

    /// The place of a member called `name` in the folder at the end of `trail`, which is taken to
    /// be vacant: whether it is, the guard tells.
    pub fn new_member(trail: &Trail, folder: i64, name: &str) -> Self {
        Self {
            parent: folder,
            name: name.to_owned(),
            occupant: None,
            nodes: 0,
            occupant_read: false,
            expect: Expect::Anything,
            way: way(trail, trail.target_index()),
            locks: lock_tokens(trail),
            locks_below: String::new(),
        }
    }
}

impl Node {
    /// The same node at another place.
    #[must_use]
    pub fn moved(&self, to: &Place) -> Self {
        Self { name: to.name.clone(), parent_id: Some(to.parent), ..self.clone() }
    }
}

/// A node that exists, a root among them, with what was read of it.
#[derive(Debug, Clone)]
pub struct Held {
    /// Its number.
    pub id: i64,
    etag: String,
    /// The folder that it is in and its name there; none for a drive's root.
    at: Option<(i64, String)>,
    /// The names from the drive's root to it.
    way: String,
    expect: Expect,
    locks: String,
    locks_below: String,
}

impl Held {
    /// The folder that it is in; none for a drive's root.
    pub(in crate::store) fn parent(&self) -> Option<i64> {
        self.at.as_ref().map(|(parent, _)| *parent)
    }

    /// The node at the end of `trail`: 404 where there is none.
    pub fn of(trail: &Trail, expect: Expect) -> Result<Self> {
        let node = trail.existing()?;
        Ok(Self {
            id: node.id,
            etag: node.etag.clone(),
            at: node.parent_id.map(|parent| (parent, node.name.clone())),
            way: way(trail, trail.target_index()),
            expect,
            locks: lock_tokens(trail),
            locks_below: below_tokens(trail),
        })
    }
}

/// The names from the drive's root, which has none, to `nodes()[last]`.
fn way(trail: &Trail, last: Option<usize>) -> String {
    let nodes = trail.nodes().iter().take(last.map_or(0, |last| last + 1));
    nodes.map(|node| node.name.as_str()).collect::<Vec<_>>().join("/")
}

/// Tokens of all locks below the target, in order, with commas.
fn below_tokens(trail: &Trail) -> String {
    trail.locks_below.iter().map(|below| below.lock.token.as_str()).collect::<Vec<_>>().join(",")
}

/// Tokens of all locks on the way, in order, with commas.
fn lock_tokens(trail: &Trail) -> String {
    let locks = trail.nodes().iter().flat_map(|node| &node.locks);
    let mut tokens: Vec<_> = locks.map(|lock| lock.token.as_str()).collect();
    tokens.sort_unstable();
    tokens.join(",")
}

impl Drive {
    /// The folder is still there.
    pub(in crate::store) fn guard_parent(folder: i64) -> Statement {
        Statement::write(
            "INSERT INTO guard SELECT 'parent' \
             WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE id = ?1 AND content_id IS NULL)",
            [folder.into()],
        )
    }

    /// The occupant of the place (or its emptiness) is still what was read.
    pub(in crate::store) fn guard_occupant(place: &Place) -> Statement {
        match &place.occupant {
            Some((id, _)) => guard_at(*id, place.parent, &place.name),
            None => Statement::write(
                "INSERT INTO guard SELECT 'exists' \
                 WHERE EXISTS (SELECT 1 FROM nodes WHERE parent_id = ?1 AND name = ?2)",
                [place.parent.into(), place.name.as_str().into()],
            ),
        }
    }

    /// The occupant's entity tag is still what was read.
    pub(in crate::store) fn guard_etag(place: &Place) -> Option<Statement> {
        place.occupant.as_ref().map(|(id, etag)| guard_etag_of(*id, etag))
    }

    /// The locks on the way to the place are still those that were read.
    pub(in crate::store) fn guard_locks(&self, place: &Place) -> Statement {
        self.guard_locks_from(
            "SELECT ?3 UNION SELECT id FROM nodes WHERE parent_id = ?3 AND name = ?4",
            &place.locks,
            [place.parent.into(), place.name.as_str().into()],
        )
    }

    /// The locks below the occupant of the place are still those that were read.
    pub(in crate::store) fn guard_locks_below(&self, place: &Place) -> Option<Statement> {
        place.occupant.as_ref().map(|(id, _)| self.guard_locks_under(*id, &place.locks_below))
    }

    /// The folder of the place still has the path that was read: a lock is taken by URL.
    pub(in crate::store) fn guard_way_to(place: &Place) -> Statement {
        guard_way(place.parent, &place.way)
    }

    /// The node is still where it was, with the locks that were read, and with the
    /// entity tag if the client demands that.
    pub(in crate::store) fn guards_of_held(&self, held: &Held) -> Vec<Statement> {
        let mut guards = vec![
            self.guard_locks_from("SELECT ?3", &held.locks, [held.id.into()]),
            self.guard_locks_under(held.id, &held.locks_below),
            guard_way(held.id, &held.way),
        ];
        guards.extend(held.at.as_ref().map(|(parent, name)| guard_at(held.id, *parent, name)));
        if held.expect == Expect::Unchanged {
            guards.push(guard_etag_of(held.id, &held.etag));
        }
        guards
    }

    /// The locks on the nodes that `from` selects, and on all folders above them, are `seen`.
    fn guard_locks_from<const N: usize>(&self, from: &'static str, seen: &str, params: [Value; N]) -> Statement {
        let mut all = vec![self.now.into(), seen.into()];
        all.extend(params);
        Statement::write(
            format!(
                "INSERT INTO guard WITH RECURSIVE up(id) AS ({from} \
                   UNION SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) \
                 SELECT 'lock' WHERE ?2 <> coalesce((SELECT group_concat(l.token, ',' ORDER BY l.token) \
                   FROM up CROSS JOIN locks l ON l.node_id = up.id WHERE l.expires_at > ?1), '')"
            ),
            all,
        )
    }

    /// The locks on nodes below a node are `seen`.
    fn guard_locks_under(&self, id: i64, seen: &str) -> Statement {
        Statement::write(
            format!(
                "INSERT INTO guard WITH RECURSIVE {LOCKS_UP} \
                 SELECT 'lock' WHERE ?4 <> coalesce((SELECT group_concat(token, ',' ORDER BY token) \
                   FROM up WHERE id = ?3 AND node_id <> ?3), '')"
            ),
            [self.account.into(), self.now.into(), id.into(), seen.into()],
        )
    }

    /// Adds the totals of `change`, a SELECT of (size, files, folders) with ?5 …, to the folder and
    /// all above it, and gives each a new entity tag: no two nodes share one, since a node may come
    /// to be where another was.
    pub(in crate::store) fn add_to_folder(
        &self,
        folder: i64,
        etag: &str,
        members_changed: bool,
        change: &'static str,
        params: impl IntoIterator<Item = Value>,
    ) -> Statement {
        let mut all = vec![folder.into(), etag.into(), self.now.into(), members_changed.into()];
        all.extend(params);
        Statement::write(
            format!(
                "WITH RECURSIVE change(size, files, folders) AS ({change}), \
                 up(id) AS (SELECT ?1 UNION ALL SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id \
                   WHERE n.parent_id IS NOT NULL) \
                 UPDATE nodes SET etag = ?2 || '-' || nodes.id, \
                   size = nodes.size + change.size, \
                   files = nodes.files + change.files, folders = nodes.folders + change.folders, \
                   modified_at = CASE WHEN nodes.id = ?1 AND ?4 THEN ?3 ELSE nodes.modified_at END \
                 FROM change WHERE nodes.id IN (SELECT id FROM up)"
            ),
            all,
        )
    }
}

fn guard_at(id: i64, parent: i64, name: &str) -> Statement {
    Statement::write(
        "INSERT INTO guard SELECT 'gone' \
         WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE id = ?1 AND parent_id = ?2 AND name = ?3)",
        [id.into(), parent.into(), name.into()],
    )
}

/// The names from the drive's root to a node are `way`.
fn guard_way(id: i64, way: &str) -> Statement {
    Statement::write(
        "INSERT INTO guard WITH RECURSIVE up(parent_id, name, height) AS ( \
           SELECT parent_id, name, 0 FROM nodes WHERE id = ?1 \
           UNION ALL SELECT n.parent_id, n.name, up.height + 1 FROM up CROSS JOIN nodes n ON n.id = up.parent_id) \
         SELECT 'gone' WHERE ?2 <> (SELECT group_concat(name, '/' ORDER BY height DESC) FROM up)",
        [id.into(), way.into()],
    )
}

fn guard_etag_of(id: i64, etag: &str) -> Statement {
    Statement::write(
        "INSERT INTO guard SELECT 'etag' WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE id = ?1 AND etag = ?2)",
        [id.into(), etag.into()],
    )
}

/// `up`: from each live lock of account ?1 at time ?2 to all folders above it.
pub(in crate::store) const LOCKS_UP: &str = "up(token, node_id, id) AS ( \
   SELECT token, node_id, node_id FROM locks WHERE account_id = ?1 AND expires_at > ?2 \
   UNION ALL SELECT up.token, up.node_id, n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id \
     WHERE n.parent_id IS NOT NULL)";
