//! What webhooks are told, held against what has become of the files.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::world::World;

/// All files that are not in the trash: by number, the path, and the content with the time when the file got it.
pub type Files = BTreeMap<i64, (String, String)>;

const FILES: &str = "WITH RECURSIVE way(id, path) AS (SELECT id, '' FROM nodes WHERE root_of > 0
     UNION ALL SELECT n.id, w.path || '/' || n.name FROM way w JOIN nodes n ON n.parent_id = w.id)
   SELECT w.id, w.path, n.content_id || ' ' || coalesce(n.uploaded_at, '') AS content FROM way w JOIN nodes n ON n.id = w.id
   WHERE n.content_id IS NOT NULL";

/// The files that there are.
pub fn files(world: &World) -> Files {
    let text = |value: &Json| value.as_str().unwrap().to_owned();
    let file = |row: Json| (row["id"].as_i64().unwrap(), (text(&row["path"]), text(&row["content"])));
    world.rows(FILES, []).into_iter().map(file).collect()
}

/// Takes what webhooks are to be told: the kind of each event and the number of its file, in order.
pub fn take(world: &World) -> Vec<(String, i64)> {
    let taken = "DELETE FROM jobs WHERE kind = 'webhook' RETURNING payload ->> '$.event' AS event, payload ->> '$.file.id' AS id";
    let event = |row: Json| (row["event"].as_str().unwrap().to_owned(), row["id"].as_i64().unwrap());
    let mut events: Vec<_> = world.rows(taken, []).into_iter().map(event).collect();
    events.sort();
    events
}

/// What they are to be told of one operation, in the same order.
pub fn expected(before: &Files, after: &Files) -> Vec<(String, i64)> {
    let mut events = Vec::new();
    for id in before.keys().chain(after.keys()) {
        match (before.get(id), after.get(id)) {
            (None, _) => events.push(("file.created".to_owned(), *id)),
            (_, None) => events.push(("file.deleted".to_owned(), *id)),
            (Some((path, content)), Some((new_path, new_content))) => {
                events.extend((path != new_path).then(|| ("file.moved".to_owned(), *id)));
                events.extend((content != new_content).then(|| ("file.updated".to_owned(), *id)));
            }
        }
    }
    events.sort();
    events.dedup();
    events
}
