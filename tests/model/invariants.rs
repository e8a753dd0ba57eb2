//! What must hold in the database and in the object store whenever no request is under way.

use std::collections::BTreeSet;

use edgedrive::ports::Clock;
use serde_json::json;

use crate::world::{Settings, World};

/// Each query finds what should not be. ?1 is the present time, ?2 the number of versions kept.
const BREACHES: [(&str, &str); 28] = [
    (
        "a folder's totals are not what a recount finds",
        "WITH RECURSIVE below(top, id) AS (
           SELECT id, id FROM nodes WHERE content_id IS NULL
           UNION ALL SELECT b.top, n.id FROM below b JOIN nodes n ON n.parent_id = b.id)
         SELECT t.id, t.name, t.size, t.files, t.folders FROM below b JOIN nodes t ON t.id = b.top JOIN nodes n ON n.id = b.id
         GROUP BY t.id HAVING t.size <> sum(iif(n.content_id IS NULL, 0, n.size))
           OR t.files <> sum(n.content_id IS NOT NULL) OR t.folders <> sum(n.content_id IS NULL) - 1",
    ),
    (
        "a folder's members are not as many as it says",
        "SELECT t.id, t.member_files, t.member_folders FROM nodes t LEFT JOIN nodes m ON m.parent_id = t.id
         GROUP BY t.id HAVING t.member_files <> count(m.content_id)
           OR t.member_folders <> count(m.id) - count(m.content_id)",
    ),
    (
        "a node that the root does not lead to",
        "WITH RECURSIVE reached(id) AS (SELECT id FROM nodes WHERE root_of IS NOT NULL
           UNION ALL SELECT n.id FROM reached r JOIN nodes n ON n.parent_id = r.id)
         SELECT id, name FROM nodes WHERE id NOT IN (SELECT id FROM reached)",
    ),
    (
        "something in a file",
        "SELECT n.id, n.name FROM nodes n JOIN nodes p ON p.id = n.parent_id WHERE p.content_id IS NOT NULL",
    ),
    (
        "more than the quota",
        "SELECT r.size, b.size, d.version_bytes, d.quota FROM drives d JOIN nodes r ON r.root_of = d.account_id
           JOIN nodes b ON b.root_of = -d.account_id WHERE r.size + b.size + d.version_bytes + d.upload_bytes > d.quota",
    ),
    (
        "version_bytes is not the sum of the versions",
        "SELECT d.version_bytes FROM drives d
         WHERE d.version_bytes <> (SELECT coalesce(sum(v.size), 0) FROM versions v WHERE v.account_id = d.account_id)",
    ),
    (
        "a file or version that is not as long as its content",
        "SELECT x.content_id FROM (SELECT content_id, size FROM nodes UNION ALL SELECT content_id, size FROM versions) x
         JOIN contents c ON c.id = x.content_id WHERE c.size <> x.size",
    ),
    (
        "a content that is not as long as its parts",
        "SELECT c.id FROM contents c WHERE c.size <> (SELECT coalesce(sum(p.size), 0) FROM parts p WHERE p.content_id = c.id)",
    ),
    (
        "a content that nothing names",
        "SELECT id FROM contents c WHERE NOT EXISTS (SELECT 1 FROM nodes WHERE content_id = c.id)
           AND NOT EXISTS (SELECT 1 FROM versions WHERE content_id = c.id)",
    ),
    ("a part without a content", "SELECT blob_key FROM parts WHERE content_id NOT IN (SELECT id FROM contents)"),
    ("a blob that is in use and garbage", "SELECT blob_key FROM parts JOIN blob_garbage USING (blob_key)"),
    ("too many versions of a file", "SELECT node_id FROM versions GROUP BY node_id HAVING count(*) > ?2"),
    (
        "a version of what is no file",
        "SELECT id FROM versions WHERE node_id NOT IN (SELECT id FROM nodes WHERE content_id IS NOT NULL)",
    ),
    ("a lock on nothing", "SELECT token FROM locks WHERE node_id NOT IN (SELECT id FROM nodes)"),
    ("a property of nothing", "SELECT name FROM properties WHERE node_id NOT IN (SELECT id FROM nodes)"),
    (
        "an exclusive lock beside another",
        "WITH RECURSIVE live AS (SELECT * FROM locks WHERE expires_at > ?1),
           covered(token, exclusive, id) AS (SELECT token, exclusive, node_id FROM live
             UNION ALL SELECT c.token, c.exclusive, n.id FROM covered c JOIN live l ON l.token = c.token AND l.infinite
               JOIN nodes n ON n.parent_id = c.id)
         SELECT c.token FROM covered c JOIN live l ON l.node_id = c.id AND l.token <> c.token
         WHERE c.exclusive OR l.exclusive",
    ),
    (
        "something at the top of the trash of which nothing is known, or the other way round",
        "SELECT n.id FROM nodes n JOIN nodes b ON b.id = n.parent_id AND b.root_of < 0
           WHERE NOT EXISTS (SELECT 1 FROM trashed WHERE node_id = n.id AND account_id = -b.root_of)
         UNION ALL SELECT t.node_id FROM trashed t JOIN nodes n ON n.id = t.node_id JOIN nodes p ON p.id = n.parent_id
           WHERE p.root_of IS NOT -t.account_id",
    ),
    (
        "a lock in the trash",
        "WITH RECURSIVE below(id) AS (SELECT id FROM nodes WHERE root_of < 0
           UNION ALL SELECT n.id FROM below b JOIN nodes n ON n.parent_id = b.id)
         SELECT token FROM locks WHERE expires_at > ?1 AND node_id IN (SELECT id FROM below)",
    ),
    (
        "upload_bytes is not the sum of the chunks",
        "SELECT d.upload_bytes FROM drives d
         WHERE d.upload_bytes <> (SELECT coalesce(sum(c.size), 0) FROM chunks c WHERE c.account_id = d.account_id)",
    ),
    (
        "property_bytes is not what properties and tags take",
        "SELECT d.property_bytes FROM drives d WHERE d.property_bytes <>
           (SELECT coalesce(sum(64 + octet_length(namespace) + octet_length(name) + octet_length(value)
             + coalesce(octet_length(lang), 0)), 0) FROM properties WHERE account_id = d.account_id)
           + (SELECT coalesce(sum(64 + octet_length(tag)), 0) FROM tags WHERE account_id = d.account_id)",
    ),
    (
        "a drive's locks are not as many as it says",
        "SELECT d.locks FROM drives d WHERE d.locks <> (SELECT count(*) FROM locks WHERE account_id = d.account_id)",
    ),
    (
        "a drive's uploads are not as many as it says",
        "SELECT d.uploads FROM drives d WHERE d.uploads <> (SELECT count(*) FROM uploads WHERE account_id = d.account_id)",
    ),
    (
        "something of another drive than the node that it belongs to",
        "WITH RECURSIVE owned(id, account_id) AS (SELECT id, abs(root_of) FROM nodes WHERE root_of IS NOT NULL
           UNION ALL SELECT n.id, o.account_id FROM owned o JOIN nodes n ON n.parent_id = o.id)
         SELECT x.node_id FROM (SELECT node_id, account_id FROM properties UNION ALL SELECT node_id, account_id FROM locks
           UNION ALL SELECT node_id, account_id FROM tags UNION ALL SELECT node_id, account_id FROM versions) x
         JOIN owned o ON o.id = x.node_id WHERE x.account_id <> o.account_id",
    ),
    (
        "an upload that has another number of chunks or bytes than it says",
        "SELECT u.id FROM uploads u LEFT JOIN chunks c ON c.upload_id = u.id WHERE NOT u.linked
         GROUP BY u.id HAVING u.received <> coalesce(sum(c.size), 0) OR u.pieces <> count(c.name)",
    ),
    ("a chunk of a file that is made", "SELECT u.id FROM uploads u JOIN chunks c ON c.upload_id = u.id WHERE u.linked"),
    ("an upload of a token that is gone", "SELECT id FROM uploads WHERE token_id NOT IN (SELECT id FROM tokens)"),
    (
        "a chunk whose blob is in use elsewhere, or garbage",
        "SELECT blob_key FROM chunks WHERE blob_key IN (SELECT blob_key FROM parts UNION ALL SELECT blob_key FROM blob_garbage)",
    ),
    ("a guard that was left behind", "SELECT failed FROM guard"),
];

/// Checks all of them, once the jobs are done.
pub fn check(world: &World, settings: Settings) {
    world.settle();
    let kept = i64::try_from(settings.versions_kept).unwrap();
    for (breach, query) in BREACHES {
        // SQLite refuses parameters that a statement does not have.
        let params = [("?1", world.native.clock.now()), ("?2", kept)];
        let query =
            params.iter().fold(query.to_owned(), |query, (name, value)| query.replace(name, &value.to_string()));
        let rows = world.rows(query, []);
        assert!(rows.is_empty(), "{breach}: {rows:?}");
    }
    let used = keys(world, "SELECT blob_key FROM parts UNION ALL SELECT blob_key FROM chunks");
    let garbage = keys(world, "SELECT blob_key FROM blob_garbage");
    let stored: BTreeSet<_> = world.native.blobs.keys().into_iter().collect();
    assert!(used.is_subset(&stored), "a part or chunk without its blob: {:?}", used.difference(&stored));
    let known: BTreeSet<_> = used.union(&garbage).cloned().collect();
    assert!(stored.is_subset(&known), "a blob that nothing names: {:?}", stored.difference(&known));
    let report = world.fsck();
    assert!(report["orphans"] == json!([]) && report["losses"] == json!([]), "{report}");
}

fn keys(world: &World, sql: &'static str) -> BTreeSet<String> {
    world.rows(sql, []).iter().map(|row| row["blob_key"].as_str().unwrap().to_owned()).collect()
}
