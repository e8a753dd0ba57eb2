//! Files whose content is lost: they get an earlier one, or go.

use super::content::Link;
use super::node::NODE;
use super::{AvStatus, Drive, Node, Place, Version, twice};
use crate::error::Result;
use crate::ports::{Millis, Rows, Statement};

/// What became of a file whose content was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// It has its latest version that is whole.
    Restored {
        /// When that had last been modified.
        modified_at: Millis,
    },
    /// It had none, and is deleted.
    Deleted,
    /// Somebody else gave it another content, or deleted it.
    Elsewise,
}

/// Mending only takes away, so it is allowed whatever the quota is.
const ANY_USE: i64 = 1 << 53;

impl Drive {
    /// Takes the content `lost` from a file, whatever locks there are on it. It may be a version then.
    /// Two or three round trips.
    pub async fn mend(&self, file: i64, lost: &str) -> Result<Mended> {
        self.used.set(ANY_USE);
        // Without a token, nobody has asked whether there are any.
        self.has_webhooks.set(true);
        twice(async || {
            let Some(place) = self.place_of(file, lost).await? else { return Ok(Mended::Elsewise) };
            match self.latest_whole_version(file, lost).await? {
                Some(version) => self.replace_lost(&place, &version).await,
                None => self.delete_lost(&place).await,
            }
        })
        .await
    }

    /// Where a file is, as long as it has that content.
    async fn place_of(&self, file: i64, content: &str) -> Result<Option<Place>> {
        let statement = Statement::new(
            format!("SELECT {NODE} FROM nodes n WHERE n.id = ?1 AND n.content_id = ?2"),
            [file.into(), content.into()],
        );
        let results = self.database.batch(vec![statement]).await?;
        let node: Option<Node> = results.first().map(Rows::first).transpose()?.flatten();
        Ok(node.as_ref().and_then(Place::of_node))
    }

    async fn latest_whole_version(&self, file: i64, lost: &str) -> Result<Option<Version>> {
        for version in self.versions(file).await? {
            if version.content_id != lost && self.is_whole(&version).await? {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Whether all its blobs are there, and it may be read.
    async fn is_whole(&self, version: &Version) -> Result<bool> {
        let Some(content) = version.content.as_ref().filter(|content| content.av != AvStatus::Infected) else {
            return Ok(false);
        };
        for part in &content.parts {
            if !self.ports.blobs.has(&part.blob_key).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn replace_lost(&self, place: &Place, version: &Version) -> Result<Mended> {
        let mut batch = Self::guards_of_mended(place);
        batch.push(Self::guard_version(version));
        let link = Link { mime: version.mime.clone(), modified_at: Some(version.modified_at), ..Link::default() };
        // The lost content becomes a version, and goes with the others that are it.
        let forget = Statement::new("DELETE FROM versions WHERE id = ?1", [version.id.into()]);
        self.give(batch, place, &version.content_id, version.size, &link, vec![forget]).await?;
        Ok(Mended::Restored { modified_at: version.modified_at })
    }

    async fn delete_lost(&self, place: &Place) -> Result<Mended> {
        let mut batch = Self::guards_of_mended(place);
        batch.extend(self.announce_deleted(place));
        batch.extend(self.purge_statements(place, true));
        self.database.batch(batch).await?;
        Ok(Mended::Deleted)
    }

    fn guards_of_mended(place: &Place) -> Vec<Statement> {
        [Some(Self::guard_occupant(place)), Self::guard_etag(place)].into_iter().flatten().collect()
    }
}
