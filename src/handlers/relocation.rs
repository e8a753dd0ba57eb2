//! Renaming and moving files and folders by PATCH.

use serde::Deserialize;

use super::json::Field;
use super::{check_members_unlocked, check_node_unlocked, folder_address, name_taken, read_body};
use crate::body::Body;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::name::read_name;
use crate::store::{Address, Caller, Detail, Node, Place, Scope, ViewRequest, twice};

/// What to change; what is absent stays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    name: Option<String>,
    /// The new folder; `null` is the root. Folders call it `parentId`, files `folderId`.
    #[serde(default, alias = "parentId")]
    folder_id: Field<String>,
}

/// Renames or moves the node `id`, which must be a folder or a file as said. Gives it as it is
/// then. A name that is taken is 409, a folder into itself 403.
pub async fn relocate(cx: &Context<'_>, id: i64, folder: bool, body: Body) -> Result<(Caller, Node)> {
    let (drive, credentials) = cx.drive()?;
    let change: Change = read_body(&drive, &credentials, body).await?;
    let mut addresses = vec![Address::Id(id)];
    match &change.folder_id {
        Field::Absent => {}
        Field::Null => addresses.push(folder_address(None)?),
        Field::Value(id) => addresses.push(folder_address(Some(id))?),
    }
    let detail = Detail { digests: true, ..Detail::default() };
    let request = ViewRequest { addresses, detail, locks_below: true, ..ViewRequest::default() };
    twice(async || {
        let view = drive.view(&credentials, &request, Vec::new()).await?;
        view.caller.scopes.require(Scope::Write)?;
        let trail = view.trail()?;
        let node = trail.existing()?;
        if node.is_folder() != folder {
            return Err(Error::NotFound(if folder { "the folder" } else { "the file" }));
        }
        let from = Place::of(trail)?;
        let name = &read_name(change.name.as_deref().unwrap_or(&node.name))?;
        let to = match view.trails.get(1) {
            None => from.renamed(name),
            Some(trail) => {
                let parent = trail.existing()?;
                if !parent.is_folder() {
                    return Err(Error::NotFound("the folder"));
                }
                if trail.passes(id) {
                    return Err(Error::Forbidden("a folder cannot move into itself".to_owned()));
                }
                check_members_unlocked(trail)?;
                Place::new_member(trail, parent.id, name)
            }
        };
        check_node_unlocked(trail)?;
        if (to.parent, &to.name) != (from.parent, &from.name) {
            view.relocate(&from, node, &to, None).await.map_err(name_taken)?;
        }
        let moved = node.moved(&to);
        Ok((view.caller, moved))
    })
    .await
}
