//! Earlier contents of a file.

use serde::Deserialize;

use super::content::{Link, Linked};
use crate::error::{Error, Result};
use crate::ports::{Millis, Statement, Value};
use crate::store::door::closing::Touched;
use crate::store::door::commit::{Expect, Place};
use crate::store::door::drive::Drive;
use crate::store::door::query::content_json;
use crate::store::door::view::View;
use crate::store::ground::content_info::{AvStatus, ContentInfo};
use crate::store::ground::node::{Node, guess_mime, json_text};

/// An earlier content of a file.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Its number.
    pub id: i64,
    /// Names its content.
    pub content_id: String,
    pub(super) mime: Option<String>,
    /// Bytes.
    pub size: i64,
    /// When the content had last been modified.
    pub modified_at: Millis,
    /// When another content took its place.
    pub replaced_at: Millis,
    /// Digests and parts.
    #[serde(deserialize_with = "json_text")]
    pub content: Option<ContentInfo>,
}

impl Version {
    /// The media type, for a file of that name.
    pub fn mime(&self, name: &str) -> String {
        self.mime.clone().unwrap_or_else(|| guess_mime(name))
    }
}

impl Node {
    /// The same file with an earlier content made present again.
    #[must_use]
    pub fn restored(&self, version: &Version, linked: &Linked) -> Self {
        Self {
            content_id: Some(version.content_id.clone()),
            mime: version.mime.clone(),
            size: version.size,
            etag: linked.etag.clone(),
            modified_at: linked.modified_at,
            content: version.content.clone(),
            ..self.clone()
        }
    }
}

impl Drive {
    /// The versions of a file, the latest first. One round trip.
    pub async fn versions(&self, node: i64) -> Result<Vec<Version>> {
        self.select_versions("v.node_id = ?1 ORDER BY v.id DESC", vec![node.into()]).await
    }

    /// The version of that number of a file, or 404. One round trip.
    pub async fn version(&self, node: i64, id: i64) -> Result<Version> {
        let found = self.select_versions("v.id = ?2 AND v.node_id = ?1", vec![node.into(), id.into()]).await?;
        found.into_iter().next().ok_or(Error::NotFound("the version"))
    }

    async fn select_versions(&self, which: &str, parameters: Vec<Value>) -> Result<Vec<Version>> {
        let content = content_json("v.content_id", true);
        let statement = Statement::read(
            format!(
                "SELECT v.id, v.content_id, v.mime, v.size, v.modified_at, v.replaced_at, {content} AS content \
                 FROM versions v WHERE {which}"
            ),
            parameters,
        );
        let results = self.query(vec![statement]).await?;
        results.all(0)
    }

    /// The version is still there.
    pub(super) fn guard_version(version: &Version) -> Statement {
        Statement::write(
            "INSERT INTO guard SELECT 'gone' WHERE NOT EXISTS (SELECT 1 FROM versions WHERE id = ?1)",
            [version.id.into()],
        )
    }
}

impl View {
    /// Makes an earlier content the present one; the present one becomes a version. 403 for an infected one. One round
    /// trip.
    pub async fn restore(&self, place: &Place, version: &Version) -> Result<Linked> {
        if let Some(content) = version.content.as_ref().filter(|content| content.av == AvStatus::Infected) {
            return Err(content.infected());
        }
        let place = &place.clone().expecting(Expect::Unchanged);
        let mut batch = self.guards_of_link(place);
        batch.push(Drive::guard_version(version));
        let link = Link { mime: version.mime.clone(), modified_at: Some(version.modified_at), ..Link::default() };
        // It leaves the list before the list is pruned, and after the file has its content again.
        let forget = Statement::write("DELETE FROM versions WHERE id = ?1", [version.id.into()]);
        self.give(batch, place, &version.content_id, version.size, &link, vec![forget]).await
    }

    /// Forgets a version of the file `node`. One round trip.
    pub async fn forget_version(&self, node: i64, version: &Version) -> Result<()> {
        let forget = Statement::write("DELETE FROM versions WHERE id = ?1", [version.id.into()]);
        self.commit(vec![forget], &Touched::node(node)).await.map(|_| ())
    }

    /// Turns the present content of a file into a version, unless it is empty, the same as the new
    /// one, or none are kept.
    pub(super) fn keep_version(&self, parent: &Value, name: &Value, new_content: &str) -> Statement {
        Statement::write(
            "INSERT INTO versions (account_id, node_id, content_id, mime, size, modified_at, replaced_at) \
             SELECT ?1, id, content_id, mime, size, modified_at, ?2 FROM nodes \
             WHERE parent_id = ?3 AND name = ?4 AND size > 0 AND content_id <> ?5 AND ?6 > 0 \
               AND NOT EXISTS (SELECT 1 FROM contents a CROSS JOIN contents b ON b.id = ?5 \
                 WHERE a.id = nodes.content_id AND a.sha256 = b.sha256 AND a.sha256 <> '')",
            [
                self.account.into(),
                self.now.into(),
                parent.clone(),
                name.clone(),
                new_content.into(),
                self.kept.versions.into(),
            ],
        )
    }

    /// Forgets the versions of a file beyond the number that is kept; one more stays until the digests of the present
    /// content are known, which may be that of the latest version.
    pub(in crate::store) fn prune_versions(&self, parent: &Value, name: &Value) -> Statement {
        Statement::write(
            "DELETE FROM versions WHERE id IN (SELECT v.id FROM nodes n JOIN versions v ON v.node_id = n.id \
             WHERE n.parent_id = ?1 AND n.name = ?2 ORDER BY v.id DESC LIMIT -1 OFFSET ?3 + coalesce(( \
               SELECT c.sha256 = '' AND ?3 > 0 FROM nodes n CROSS JOIN contents c ON c.id = n.content_id \
               WHERE n.parent_id = ?1 AND n.name = ?2), 0))",
            [parent.clone(), name.clone(), self.kept.versions.into()],
        )
    }
}
