//! What clients set of a node beside its content: dead properties, tags, times.

use super::property::PropertyChange;
use crate::error::Result;
use crate::ports::{Millis, Statement};
use crate::store::door::closing::Touched;
use crate::store::door::commit::Held;
use crate::store::door::view::View;

/// The tag of favourites, as Nextcloud names it. No client can set it by that name.
pub const FAVORITE: &str = "_$!<Favorite>!$_";

/// What a PROPPATCH changes of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetadataChange {
    /// Dead properties. Of two changes of one of them, the later counts.
    pub properties: Vec<PropertyChange>,
    /// Whether it is a favourite, if that changes.
    pub favorite: Option<bool>,
    /// All its tags but that of favourites, if they change.
    pub tags: Option<Vec<String>>,
    /// The time of its last modification, if that changes.
    pub modified_at: Option<Millis>,
    /// The time when it was made, if that changes.
    pub created_at: Option<Millis>,
}

impl View {
    /// Changes a node, all or nothing. 507 where it would have more than 64 KiB of dead properties. One round trip.
    ///
    /// As in Nextcloud, another time of modification gives the node and all folders above it new entity tags, since sync
    /// clients keep that time. A tag, like the other changes, gives none: no client would have anything to fetch.
    pub async fn change_metadata(&self, held: &Held, change: &MetadataChange) -> Result<()> {
        let mut batch = self.guards_of_held(held);
        batch.extend(self.change_properties(held, &change.properties)?);
        batch.extend(change.favorite.map(|favorite| self.mark_favorite(held.id, favorite)));
        batch.extend(change.tags.iter().flat_map(|tags| self.replace_tags(held.id, tags)));
        batch.extend(change.created_at.map(|at| set_created(held.id, at)));
        batch.extend(change.modified_at.into_iter().flat_map(|at| self.set_modified(held, at)));
        self.commit(batch, &Touched::node(held.id)).await.map(|_| ())
    }

    fn mark_favorite(&self, node: i64, favorite: bool) -> Statement {
        let sql = if favorite {
            "INSERT OR IGNORE INTO tags (account_id, tag, node_id) VALUES (?1, ?2, ?3)"
        } else {
            "DELETE FROM tags WHERE account_id = ?1 AND tag = ?2 AND node_id = ?3"
        };
        Statement::write(sql, [self.account.into(), FAVORITE.into(), node.into()])
    }

    fn replace_tags(&self, node: i64, tags: &[String]) -> [Statement; 2] {
        let tags = serde_json::json!(tags).to_string();
        [
            Statement::write("DELETE FROM tags WHERE node_id = ?1 AND tag <> ?2", [node.into(), FAVORITE.into()]),
            Statement::write(
                "INSERT OR IGNORE INTO tags (account_id, tag, node_id) SELECT ?1, value, ?2 FROM json_each(?3)",
                [self.account.into(), node.into(), tags.into()],
            ),
        ]
    }

    fn set_modified(&self, held: &Held, at: Millis) -> Vec<Statement> {
        let etag = self.new_etag();
        let above = held.parent().map(|parent| self.add_to_folder(parent, &etag, false, "SELECT 0, 0, 0", []));
        let own = Statement::write(
            "UPDATE nodes SET modified_at = ?2, etag = ?3 WHERE id = ?1",
            [held.id.into(), at.into(), etag.into()],
        );
        above.into_iter().chain([own]).collect()
    }
}

fn set_created(node: i64, at: Millis) -> Statement {
    Statement::write("UPDATE nodes SET created_at = ?2 WHERE id = ?1", [node.into(), at.into()])
}
