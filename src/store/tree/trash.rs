//! What was deleted and is not gone yet: a tree beside the drive's, whose bytes count like the drive's own.

use serde::Deserialize;

use super::folder::{TOTALS, TOTALS_GONE, Transfer};
use super::purge::{MOST, delete_below};
use crate::error::{Error, Guard, Result};
use crate::name::MAX_NAME;
use crate::ports::{Millis, Rows, Statement};
use crate::store::door::address::{Address, Credentials, Detail, ViewRequest};
use crate::store::door::caller::Caller;
use crate::store::door::closing::Touched;
use crate::store::door::commit::Place;
use crate::store::door::drive::Drive;
use crate::store::door::query::content_json;
use crate::store::door::trail::Trail;
use crate::store::door::view::{View, twice};
use crate::store::ground::node::Node;
use crate::store::ground::scope::Scope;

/// Names that are tried for what is put back where its own is taken.
const MOST_NAMES: usize = 20;

/// A file or folder that was deleted, with everything below it.
#[derive(Debug, Clone, Deserialize)]
pub struct Trashed {
    /// Its row. The name in it is its number: see `original_name`.
    #[serde(flatten)]
    pub node: Node,
    /// What it was called.
    pub original_name: String,
    /// The folder that it was in, which may be gone.
    pub folder_id: i64,
    /// The names from the drive's root to it, with slashes between them.
    pub location: String,
    /// When it was deleted.
    pub deleted_at: Millis,
}

/// Something in the trash: what was deleted, or what is below that.
pub struct Deleted<'t> {
    /// The number of what was deleted.
    item: i64,
    place: Place,
    node: &'t Node,
}

impl<'t> Deleted<'t> {
    /// What a trail in the trash leads to: 404 where there is nothing, 403 for the trash itself.
    pub fn at(trail: &'t Trail) -> Result<Self> {
        let node = trail.target().ok_or(Error::NotFound("what was deleted"))?;
        let place = Place::of(trail)?;
        let item = trail.nodes().get(1).map_or(node.id, |item| item.id);
        Ok(Self { item, place, node })
    }
}

/// Says whether locks let the members of the folder at the end of a trail change.
pub type MayChange<'a> = &'a dyn Fn(&Trail) -> Result<()>;

impl Drive {
    /// Reads what is in the trash, in the order of its numbers, after a number and up to a number of them, for a batch of
    /// `View`. `trashed` reads the answer.
    pub fn trash_statement(&self, after: i64, limit: i64) -> Statement {
        Statement::read(
            format!(
                "SELECT {TRASHED} WHERE t.account_id = ?1 AND t.node_id > ?2 AND NOT t.purging ORDER BY t.node_id LIMIT ?3"
            ),
            [self.account.into(), after.into(), limit.into()],
        )
    }

    /// Reads one that was deleted, and its digests, likewise.
    pub fn find_trashed(&self, id: i64) -> Statement {
        Statement::read(
            format!(
                "SELECT {} AS content, {TRASHED} WHERE t.account_id = ?1 AND t.node_id = ?2 AND NOT t.purging",
                content_json("n.content_id", false)
            ),
            [self.account.into(), id.into()],
        )
    }

    /// What a statement has read of the trash.
    pub fn trashed(rows: Option<&Rows>) -> Result<Vec<Trashed>> {
        Ok(rows.map(Rows::parse).transpose()?.unwrap_or_default())
    }

    /// Puts back what was deleted, or what is in a folder that was: the names lead from the trash to it. It goes where it
    /// was, or, if that folder is gone, to the top of the drive; under another name where its own is taken. 404 where there
    /// is nothing of those names. `may_change` says whether locks let the members of a folder change. Gives who asks, and
    /// its row.
    pub async fn put_back(
        &self,
        credentials: &Credentials,
        names: &[String],
        may_change: MayChange<'_>,
    ) -> Result<(Caller, Node)> {
        let item = names.first().and_then(|item| item.parse().ok()).ok_or(Error::NotFound("what was deleted"))?;
        let detail = Detail { digests: true, ..Detail::default() };
        let wanted = ViewRequest { detail, ..ViewRequest::of(Address::Trash(names.to_vec())) };
        let view = self.view(credentials, &wanted, vec![self.find_trashed(item)]).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trashed = Trashed::for_caller(&view)?;
        let trail = view.trail()?;
        let deleted = Deleted::at(trail)?;
        let name = trashed.name_of(deleted.node);
        for home in trashed.homes(names) {
            match self.put_into(credentials, &home, &deleted, name, may_change).await {
                Err(Error::NotFound(_) | Error::NoResource) => {}
                other => return Ok((view.caller, other?)),
            }
        }
        Err(Error::NotFound("what was deleted"))
    }

    /// Puts a node into a folder, under the first of its names that is not taken.
    async fn put_into(
        &self,
        credentials: &Credentials,
        folder: &Address,
        deleted: &Deleted<'_>,
        name: &str,
        may_change: MayChange<'_>,
    ) -> Result<Node> {
        let wanted = ViewRequest::of(folder.clone());
        for nth in 0..MOST_NAMES {
            let view = self.view(credentials, &wanted, Vec::new()).await?;
            let trail = view.trail()?;
            let folder = trail.target().filter(|node| node.is_folder()).ok_or(Error::NotFound("the folder"))?;
            may_change(trail)?;
            let place = Place::new_member(trail, folder.id, &restored_name(name, nth));
            match view.take_out(deleted, &place, None).await {
                Err(Error::Raced(Guard::Exists)) => {}
                Err(Error::Raced(Guard::Gone)) => return Err(Error::NotFound("what was deleted")),
                other => return other.map(|_| deleted.node.moved(&place)),
            }
        }
        Err(Error::Conflict("too many names like its own are taken".to_owned()))
    }

    /// Makes a deletion final, or that of something below what was deleted: the names lead from the trash to it. What is
    /// large is deleted by a job; it is not to be seen any more. 404 where there is none, and for a token that is confined to
    /// a folder.
    pub async fn purge(&self, credentials: &Credentials, names: &[String]) -> Result<()> {
        let wanted = ViewRequest::of(Address::Trash(names.to_vec()));
        twice(async || {
            let view = self.view(credentials, &wanted, vec![self.telling_statement()]).await?;
            view.caller.scopes.require(Scope::Write)?;
            let trail = view.trail()?;
            trail.existing()?;
            let place = Place::of(trail)?;
            let top = trail.nodes().get(1).map_or(0, |node| node.id);
            let mut batch = vec![guard_trashed(top), Self::guard_occupant(&place)];
            if place.nodes <= MOST && !Self::is_telling(view.also.first())? {
                batch.push(view.guard_told());
                batch.extend(view.purge_statements(&place, true));
            } else {
                batch.extend(view.purge_later(&place, true));
            }
            view.commit(batch, &Touched::trash(place.parent)).await.map(|_| ())
        })
        .await
    }

    /// Makes all deletions final; large ones by a job. 404 for a token that is confined to a folder.
    pub async fn empty_trash(&self, credentials: &Credentials) -> Result<()> {
        let wanted = ViewRequest::of(Address::Trash(Vec::new()));
        twice(async || {
            let view = self.view(credentials, &wanted, vec![self.telling_statement()]).await?;
            view.caller.scopes.require(Scope::Write)?;
            let root = view.trail()?.existing()?;
            let batch = if root.count() <= MOST && !Self::is_telling(view.also.first())? {
                vec![
                    view.guard_told(),
                    delete_below(root.id, false),
                    Statement::write(
                        "UPDATE nodes SET size = 0, files = 0, folders = 0, etag = ?2, modified_at = ?3 WHERE id = ?1",
                        [root.id.into(), self.new_etag().into(), self.now.into()],
                    ),
                ]
            } else {
                view.purge_all_later()
            };
            view.commit(batch, &Touched::trash(root.id)).await.map(|_| ())
        })
        .await
    }
}

impl View {
    /// Takes something out of the trash, with everything below it, to where `to` is; what is there goes, but for its locks.
    /// One round trip.
    pub async fn take_out(&self, deleted: &Deleted<'_>, to: &Place, replaced: Option<&Node>) -> Result<Transfer> {
        let Deleted { item, place: from, node } = deleted;
        let etag = self.new_etag();
        let mut batch = vec![guard_trashed(*item), Drive::guard_occupant(from), Drive::guard_parent(to.parent)];
        batch.extend(self.guards_of_tree(to));
        batch.extend(replaced.and_then(|replaced| Drive::keep_locks(replaced, node.id)));
        batch.extend(self.remove(to, false));
        batch.extend([
            self.add_to_folder(from.parent, &etag, true, TOTALS_GONE, [node.id.into()]),
            Statement::write("DELETE FROM trashed WHERE node_id = ?1", [node.id.into()]),
            Statement::write(
                "UPDATE nodes SET parent_id = ?2, name = ?3 WHERE id = ?1",
                [node.id.into(), to.parent.into(), to.name.as_str().into()],
            ),
            self.add_to_folder(to.parent, &etag, true, TOTALS, [node.id.into()]),
        ]);
        batch.extend(self.announce_created(to, node.count()));
        let touched = if node.is_folder() { Touched::new_folder(to) } else { Touched::member(to) };
        self.commit(batch, &touched).await?;
        Ok(Transfer { id: node.id, created: replaced.is_none(), etag: node.etag.clone() })
    }

    /// Takes the occupant of the place, with everything below it, to the trash. Its versions and properties stay with it;
    /// locks do not. It is not seen there where it is `purging`.
    pub(super) fn trash_statements(&self, place: &Place, members_changed: bool, purging: bool) -> Vec<Statement> {
        let Some((id, _)) = &place.occupant else { return Vec::new() };
        let (id, etag, trash) = (*id, self.new_etag(), self.caller.trash_id);
        vec![
            self.drop_locks(id),
            self.add_to_folder(place.parent, &etag, members_changed, TOTALS_GONE, [id.into()]),
            Statement::write(
                "INSERT INTO trashed (node_id, account_id, name, folder_id, location, deleted_at, purging) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                [
                    id.into(),
                    self.account.into(),
                    place.name.as_str().into(),
                    place.parent.into(),
                    place.location().into(),
                    self.now.into(),
                    purging.into(),
                ],
            ),
            Statement::write(
                "UPDATE nodes SET parent_id = ?2, name = iif(?3, 'purged ', '') || id WHERE id = ?1",
                [id.into(), trash.into(), purging.into()],
            ),
            self.add_to_folder(trash, &etag, true, TOTALS, [id.into()]),
        ]
    }

    /// Deletes the occupant of the place and everything below it for good. All of them in one statement: a cascade may nest
    /// no more than ten deep on D1.
    pub(in crate::store) fn purge_statements(&self, place: &Place, members_changed: bool) -> Vec<Statement> {
        let Some((id, _)) = &place.occupant else { return Vec::new() };
        vec![
            self.add_to_folder(place.parent, &self.new_etag(), members_changed, TOTALS_GONE, [(*id).into()]),
            delete_below(*id, true),
        ]
    }
}

/// It is still in the trash.
fn guard_trashed(id: i64) -> Statement {
    Statement::write(
        "INSERT INTO guard SELECT 'gone' WHERE NOT EXISTS (SELECT 1 FROM trashed WHERE node_id = ?1 AND NOT purging)",
        [id.into()],
    )
}

impl Trashed {
    /// The one that a view has read besides: 404 where there is none, and for a token that is confined to a folder.
    pub fn for_caller(view: &View) -> Result<Self> {
        let trashed = Drive::trashed(view.also.first())?.into_iter().next();
        trashed.filter(|_| view.caller.folder_id.is_none()).ok_or(Error::NotFound("what was deleted"))
    }

    /// What a node was called that is this one, or below it.
    fn name_of<'n>(&'n self, node: &'n Node) -> &'n str {
        if node.id == self.node.id { &self.original_name } else { &node.name }
    }

    /// Where the node goes to which the names lead from the trash: the first of these folders that is there. The folder of
    /// what was deleted with it is in the trash itself; another one may be at its path.
    fn homes(&self, names: &[String]) -> [Address; 2] {
        let folder = match names {
            [] | [_] => Address::Id(self.folder_id),
            [_, below @ .., _] => {
                Address::Path(self.location.split('/').map(ToOwned::to_owned).chain(below.iter().cloned()).collect())
            }
        };
        [folder, Address::Path(Vec::new())]
    }
}

/// Columns and tables of a `Trashed`.
const TRASHED: &str = "n.id, n.root_of, n.parent_id, n.name, n.content_id, n.mime, n.size, n.files, n.folders, n.etag, \
     n.created_at, n.modified_at, t.name AS original_name, t.folder_id, t.location, t.deleted_at \
     FROM trashed t CROSS JOIN nodes n ON n.id = t.node_id";

/// The name of what is put back: its own, `photo (restored).jpg`, `photo (restored 2).jpg` …
fn restored_name(name: &str, nth: usize) -> String {
    let mark = match nth {
        0 => return name.to_owned(),
        1 => " (restored)".to_owned(),
        nth => format!(" (restored {nth})"),
    };
    let dot = name.rfind('.').filter(|dot| *dot > 0).unwrap_or(name.len());
    let (stem, extension) = name.split_at(dot);
    let room = MAX_NAME.saturating_sub(mark.len() + extension.len());
    let stem = stem.get(..stem.floor_char_boundary(room)).unwrap_or(stem);
    format!("{stem}{mark}{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_goes_before_the_extension() {
        assert_eq!(restored_name("photo.jpg", 0), "photo.jpg");
        assert_eq!(restored_name("photo.jpg", 1), "photo (restored).jpg");
        assert_eq!(restored_name("photo.jpg", 2), "photo (restored 2).jpg");
        assert_eq!(restored_name(".hidden", 1), ".hidden (restored)");
        assert_eq!(restored_name("folder", 1), "folder (restored)");
        let long = format!("{}.txt", "ü".repeat(125));
        assert!(restored_name(&long, 12).len() <= MAX_NAME && restored_name(&long, 12).ends_with(" (restored 12).txt"));
    }
}
