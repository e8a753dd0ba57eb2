//! Folders: making them, and deleting, moving and copying whole trees, each in one batch.

use crate::error::{Error, Limit, Result};
use crate::ports::{Millis, Rows, Statement, Value};
use crate::store::contents::content::Link;
use crate::store::door::closing::Touched;
use crate::store::door::commit::{Expect, Place};
use crate::store::door::drive::Drive;
use crate::store::door::view::View;
use crate::store::ground::content_info::UNSETTLED_CONTENTS;
use crate::store::ground::node::Node;

/// Files and folders below a folder that is copied: the database has half a minute for a batch.
const MOST_COPIED: i64 = 100_000;

/// What a MOVE or COPY made.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// The number of the node at the destination.
    pub id: i64,
    /// Whether the destination did not exist before.
    pub created: bool,
    /// The entity tag of the node at the destination.
    pub etag: String,
}

/// The totals that the node ?5 adds to the folder it is in.
pub(super) const TOTALS: &str =
    "SELECT size, files + (content_id IS NOT NULL), folders + (content_id IS NULL) FROM nodes WHERE id = ?5";
pub(super) const TOTALS_GONE: &str =
    "SELECT -size, -files - (content_id IS NOT NULL), -folders - (content_id IS NULL) FROM nodes WHERE id = ?5";

/// `below`: the node ?1 and everything below it, by depth. It begins with a column of the table,
/// not with the parameter, which has no affinity: SQLite then joins it by an index, not by scans.
pub(super) const BELOW: &str = "below(id, depth) AS (SELECT id, 0 FROM nodes WHERE id = ?1 \
   UNION ALL SELECT n.id, b.depth + 1 FROM below b CROSS JOIN nodes n ON n.parent_id = b.id)";

#[derive(serde::Deserialize)]
struct IdRow {
    id: i64,
}

impl View {
    /// Makes an empty folder where nothing is. One round trip. Gives its row.
    pub async fn create_folder(&self, place: &Place) -> Result<Node> {
        let etag = self.new_etag();
        let batch = vec![
            Drive::guard_parent(place.parent),
            Drive::guard_occupant(place),
            self.guard_locks(place),
            self.add_to_folder(place.parent, &etag, true, "SELECT 0, 0, 1", []),
            Statement::write(
                "INSERT INTO nodes (parent_id, name, etag, created_at, modified_at) VALUES (?1, ?2, ?3, ?4, ?4) \
                 RETURNING id, root_of, parent_id, name, content_id, mime, size, files, folders, etag, created_at, \
                   modified_at",
                [place.parent.into(), place.name.as_str().into(), etag.as_str().into(), self.now.into()],
            ),
        ];
        let results = self.commit(batch, &Touched::new_folder(place)).await?;
        let row = results.last().map(Rows::first).transpose()?.flatten();
        row.ok_or_else(|| Error::internal("a new folder has no row"))
    }

    /// Takes the occupant of the place and everything below it to the trash, or deletes it where there is none. One round
    /// trip.
    pub async fn delete(&self, place: &Place) -> Result<()> {
        let mut batch = self.guards_of_tree(place);
        batch.extend(self.remove(place, true));
        self.commit(batch, &Touched::member(place)).await?;
        Ok(())
    }

    /// Moves the occupant of `from` to `to`, whose occupant, if any, it replaces: a file replaces a
    /// file as its next content, anything else is deleted. The locks of what is replaced stay where they are; those of what
    /// is moved end. One round trip.
    pub async fn relocate(&self, from: &Place, source: &Node, to: &Place, replaced: Option<&Node>) -> Result<Transfer> {
        let etag = self.new_etag();
        let mut batch = self.guards_of_tree(from);
        if !source.is_folder() {
            // The answer tells the entity tag of what was moved.
            batch.extend(Drive::guard_etag(from));
        }
        batch.extend(self.guards_of_tree(to));
        batch.push(Drive::guard_parent(to.parent));
        batch.push(Self::guard_cycle(source.id, to.parent));
        batch.push(self.drop_locks(source.id));
        if let Some(replaced) = replaced {
            batch.push(Self::guard_cycle(replaced.id, from.parent));
            batch.extend(Drive::keep_locks(replaced, source.id));
            if source.is_folder() || replaced.is_folder() {
                batch.extend(self.remove(to, false));
            } else {
                batch.extend(self.adopt_versions(source.id, replaced.id));
                batch.extend(self.announce_deleted(to));
                batch.extend(self.purge_statements(to, false));
            }
        }
        batch.push(self.add_to_folder(from.parent, &etag, true, TOTALS_GONE, [source.id.into()]));
        batch.push(Statement::write(
            "UPDATE nodes SET parent_id = ?2, name = ?3 WHERE id = ?1",
            [source.id.into(), to.parent.into(), to.name.as_str().into()],
        ));
        batch.push(self.add_to_folder(to.parent, &etag, true, TOTALS, [source.id.into()]));
        batch.extend(self.announce_moved(from, to, source.count()));
        batch.push(self.prune_versions(&to.parent.into(), &to.name.as_str().into()));
        let touched = if source.is_folder() { Touched::new_folder(to) } else { Touched::member(to) };
        self.commit(batch, &touched.and_member(from)).await?;
        Ok(Transfer { id: source.id, created: replaced.is_none(), etag: source.etag.clone() })
    }

    /// Copies the occupant of `from` to `to`, whose occupant, if any, it replaces as in
    /// `relocate`; a folder with everything below it, or alone if not `deep`. Contents are shared.
    /// 507 where it is too much for one batch. One round trip.
    pub async fn copy(
        &self,
        from: &Place,
        source: &Node,
        to: &Place,
        replaced: Option<&Node>,
        deep: bool,
    ) -> Result<Transfer> {
        if let (Some(content), false) = (&source.content_id, replaced.is_some_and(Node::is_folder)) {
            return self.copy_file(from, source, content, to).await;
        }
        if deep && source.files + source.folders > MOST_COPIED {
            return Err(Error::Limit(Limit::Copy));
        }
        let mut batch = vec![Drive::guard_occupant(from), Drive::guard_parent(to.parent)];
        batch.push(Drive::guard_uninfected(source.id));
        batch.push(Self::guard_cycle(source.id, to.parent));
        batch.extend(self.guards_of_tree(to));
        if let Some(replaced) = replaced {
            batch.push(Self::guard_cycle(replaced.id, from.parent));
            batch.extend(Drive::keep_locks(replaced, to.parent));
            batch.extend(self.remove(to, false));
        }
        let etag = self.new_etag();
        batch.push(self.copy_nodes(source.id, to, &etag, deep));
        batch.push(Self::copy_properties(source.id, to, deep));
        batch.extend(replaced.and_then(|replaced| Drive::hand_over_locks(replaced, to)));
        if !deep {
            batch.push(Statement::write(
                "UPDATE nodes SET size = 0, files = 0, folders = 0 \
                 WHERE parent_id = ?1 AND name = ?2 AND content_id IS NULL",
                [to.parent.into(), to.name.as_str().into()],
            ));
        }
        let made = batch.len();
        batch.push(Statement::read(
            "SELECT id FROM nodes WHERE parent_id = ?1 AND name = ?2",
            [to.parent.into(), to.name.as_str().into()],
        ));
        batch.push(self.add_to_folder(
            to.parent,
            &etag,
            true,
            "SELECT size, files + (content_id IS NOT NULL), folders + (content_id IS NULL) FROM nodes \
             WHERE parent_id = ?1 AND name = ?5",
            [to.name.as_str().into()],
        ));
        batch.extend(self.announce_created(to, if deep { source.count() } else { 1 }));
        let touched = if source.is_folder() { Touched::new_folder(to) } else { Touched::member(to) };
        let results = self.commit(batch, &touched).await?;
        let row: Option<IdRow> = results.one(made)?;
        let id = row.ok_or_else(|| Error::internal("a copy has no row"))?.id;
        Ok(Transfer { id, created: replaced.is_none(), etag: format!("{etag}1") })
    }

    async fn copy_file(&self, from: &Place, source: &Node, content: &str, to: &Place) -> Result<Transfer> {
        let mut batch = vec![Drive::guard_occupant(from), Drive::guard_uninfected(source.id)];
        batch.extend(Drive::guard_etag(from));
        batch.extend(self.guards_of_link(to));
        let link = Link { mime: source.mime.clone(), modified_at: Some(source.modified_at), ..Link::default() };
        let (parent, name): (Value, Value) = (to.parent.into(), to.name.as_str().into());
        let properties = vec![
            Statement::write(
                "DELETE FROM properties WHERE node_id = (SELECT id FROM nodes WHERE parent_id = ?1 AND name = ?2)",
                [parent.clone(), name.clone()],
            ),
            Statement::write(
                "INSERT INTO properties (node_id, namespace, name, value, lang, account_id) \
                 SELECT n.id, p.namespace, p.name, p.value, p.lang, p.account_id FROM properties p \
                   CROSS JOIN nodes n ON n.parent_id = ?1 AND n.name = ?2 WHERE p.node_id = ?3",
                [parent, name, source.id.into()],
            ),
        ];
        let linked = self.give(batch, to, content, source.size, &link, properties).await?;
        Ok(Transfer { id: linked.id, created: linked.created, etag: linked.etag })
    }

    /// The new nodes get consecutive numbers in the order of `below`, so that the number of a
    /// copied parent is known within the one statement.
    fn copy_nodes(&self, source: i64, to: &Place, etag: &str, deep: bool) -> Statement {
        let below = if deep { BELOW } else { "below(id, depth) AS (SELECT id, 0 FROM nodes WHERE id = ?1)" };
        Statement::write(
            format!(
                "INSERT INTO nodes (id, parent_id, name, content_id, mime, size, files, folders, etag, created_at, \
                   modified_at, settled_at) \
                 WITH RECURSIVE {below}, \
                 numbered(id, nth) AS MATERIALIZED (SELECT id, row_number() OVER (ORDER BY depth, id) FROM below), \
                 base(id) AS MATERIALIZED (SELECT seq FROM sqlite_sequence WHERE name = 'nodes') \
                 SELECT base.id + c.nth, CASE WHEN c.nth = 1 THEN ?2 ELSE base.id + p.nth END, \
                   CASE WHEN c.nth = 1 THEN ?3 ELSE n.name END, n.content_id, n.mime, n.size, n.files, n.folders, \
                   ?4 || c.nth, ?5, n.modified_at, \
                   CASE WHEN n.content_id NOT IN ({UNSETTLED_CONTENTS}) THEN ?5 END \
                 FROM base CROSS JOIN numbered c CROSS JOIN nodes n ON n.id = c.id \
                   LEFT JOIN numbered p ON p.id = n.parent_id"
            ),
            [source.into(), to.parent.into(), to.name.as_str().into(), etag.into(), self.now.into()],
        )
    }

    /// Numbers the source again as `copy_nodes` did, which left it as it was.
    fn copy_properties(source: i64, to: &Place, deep: bool) -> Statement {
        let below = if deep { BELOW } else { "below(id, depth) AS (SELECT id, 0 FROM nodes WHERE id = ?1)" };
        Statement::write(
            format!(
                "INSERT INTO properties (node_id, namespace, name, value, lang, account_id) \
                 WITH RECURSIVE {below}, \
                 numbered(id, nth) AS MATERIALIZED (SELECT id, row_number() OVER (ORDER BY depth, id) FROM below) \
                 SELECT made.id + c.nth - 1, p.namespace, p.name, p.value, p.lang, p.account_id \
                 FROM nodes made CROSS JOIN numbered c CROSS JOIN properties p ON p.node_id = c.id \
                 WHERE made.parent_id = ?2 AND made.name = ?3"
            ),
            [source.into(), to.parent.into(), to.name.as_str().into()],
        )
    }

    /// What must still hold when a tree goes away.
    pub(super) fn guards_of_tree(&self, place: &Place) -> Vec<Statement> {
        let mut guards = vec![Drive::guard_occupant(place), self.guard_locks(place)];
        guards.extend(self.guard_locks_below(place));
        if place.expect == Expect::Unchanged {
            guards.extend(Drive::guard_etag(place));
        }
        guards
    }

    /// The folder `destination` is not the node `source` or below it: a tree neither moves into
    /// itself nor goes away with what it replaces.
    fn guard_cycle(source: i64, destination: i64) -> Statement {
        Statement::write(
            "INSERT INTO guard WITH RECURSIVE up(id) AS (SELECT ?2 UNION ALL \
               SELECT n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL) \
             SELECT 'cycle' WHERE EXISTS (SELECT 1 FROM up WHERE id = ?1)",
            [source.into(), destination.into()],
        )
    }

    /// Takes the occupant of the place and everything below it out of the drive: to the trash, where there is one.
    pub(in crate::store) fn remove(&self, place: &Place, members_changed: bool) -> Vec<Statement> {
        let gone = match self.kept.trash_days {
            0 if self.is_purged_at_once(place) => self.purge_statements(place, members_changed),
            0 => self.purge_later(place, members_changed),
            _ => self.trash_statements(place, members_changed, false),
        };
        self.announce_deleted(place).into_iter().chain(gone).collect()
    }

    /// The versions of a file that another one replaces become those of the other, its present
    /// content the latest.
    fn adopt_versions(&self, heir: i64, replaced: i64) -> Vec<Statement> {
        let now: Millis = self.now;
        vec![
            Statement::write(
                "INSERT INTO versions (account_id, node_id, content_id, mime, size, modified_at, replaced_at) \
                 SELECT ?1, id, content_id, mime, size, modified_at, ?2 FROM nodes \
                 WHERE id = ?3 AND size > 0 AND ?4 > 0 \
                   AND NOT EXISTS (SELECT 1 FROM nodes h CROSS JOIN contents a ON a.id = h.content_id \
                     CROSS JOIN contents b ON b.id = nodes.content_id \
                     WHERE h.id = ?5 AND (a.id = b.id OR (a.sha256 = b.sha256 AND a.sha256 <> '')))",
                [self.account.into(), now.into(), replaced.into(), self.kept.versions.into(), heir.into()],
            ),
            Statement::write("UPDATE versions SET node_id = ?1 WHERE node_id = ?2", [heir.into(), replaced.into()]),
        ]
    }
}
