//! Files whose content is lost: they get an earlier one, or go.

use super::content::Link;
use super::version::Version;
use crate::error::Result;
use crate::ports::{Millis, Statement};
use crate::store::door::closing::Touched;
use crate::store::door::commit::Place;
use crate::store::door::drive::Drive;
use crate::store::door::view::{View, twice};
use crate::store::ground::content_info::AvStatus;
use crate::store::ground::node::{NODE, Node};

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

impl Drive {
    /// Takes the content `lost` from a file, whatever locks there are on it. It may be a version then.
    /// Two or three round trips.
    pub async fn mend(&self, file: i64, lost: &str) -> Result<Mended> {
        twice(async || {
            let view = self.view_as_operator(vec![file_with(file, lost)]).await?;
            let node: Option<Node> = view.also.one(0)?;
            let Some(place) = node.as_ref().and_then(Place::of_node) else { return Ok(Mended::Elsewise) };
            match self.latest_whole_version(file, lost).await? {
                Some(version) => view.replace_lost(&place, &version).await,
                None => view.delete_lost(&place).await,
            }
        })
        .await
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
}

impl View {
    async fn replace_lost(&self, place: &Place, version: &Version) -> Result<Mended> {
        let mut batch = guards_of_mended(place);
        batch.push(Drive::guard_version(version));
        let link = Link { mime: version.mime.clone(), modified_at: Some(version.modified_at), ..Link::default() };
        // The lost content becomes a version, and goes with the others that are it.
        let forget = Statement::write("DELETE FROM versions WHERE id = ?1", [version.id.into()]);
        self.give(batch, place, &version.content_id, version.size, &link, vec![forget]).await?;
        Ok(Mended::Restored { modified_at: version.modified_at })
    }

    async fn delete_lost(&self, place: &Place) -> Result<Mended> {
        let mut batch = guards_of_mended(place);
        batch.extend(self.announce_deleted(place));
        batch.extend(self.purge_statements(place, true));
        self.commit(batch, &Touched::member(place)).await?;
        Ok(Mended::Deleted)
    }
}

/// The row of a file, as long as it has that content.
fn file_with(file: i64, content: &str) -> Statement {
    Statement::read(
        format!("SELECT {NODE} FROM nodes n WHERE n.id = ?1 AND n.content_id = ?2"),
        [file.into(), content.into()],
    )
}

fn guards_of_mended(place: &Place) -> Vec<Statement> {
    [Some(Drive::guard_occupant(place)), Drive::guard_etag(place)].into_iter().flatten().collect()
}
