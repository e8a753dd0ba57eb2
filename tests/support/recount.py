"""Counts a drive again, and compares with what it says of itself: over HTTP, and in its database."""

import hashlib
import sqlite3

from support.dav import Dav
from support.rest import Rest


def recount_over_http(dav: Dav, rest: Rest):
    """Walks the drive: lengths, ETags and hashes of all files, the two views of the tree, and the
    used bytes, must agree. Empties the trash, which has versions that nobody can see."""
    rest.empty_trash()
    tree = dav.list("", "infinity")
    files = {entry.href: entry for entry in tree if not entry.is_folder}
    described = {file["id"]: file for file in _all(rest, "files", None)}
    for folder in _all_folders(rest):
        described.update((file["id"], file) for file in _all(rest, "files", folder["id"]))
    assert len(described) == len(files)
    assert len(_all_folders(rest)) == len(tree) - len(files) - 1

    by_etag = {file["etag"].strip('"'): file for file in described.values()}
    used = 0
    for href, entry in files.items():
        answer = dav.get(href.removeprefix(dav.mount))
        assert answer.status_code == 200, href
        assert answer.headers["etag"] == entry.text("getetag"), href
        assert len(answer.content) == int(entry.text("getcontentlength")), href
        file = by_etag[answer.headers["etag"].strip('"')]
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"], href
        used += len(answer.content)
    for id in described:
        used += sum(version["sizeBytes"] for version in rest.get(f"files/{id}/versions").json()["versions"])
    assert rest.used() == used
    assert int(dav.stat().text("quota-used-bytes")) == used


def _all(rest: Rest, kind: str, folder: str | None) -> list[dict]:
    found, params = [], {"folderId": folder} if folder else {}
    while True:
        page = rest.get(kind, params=params).json()
        found += page[kind]
        if not page.get("nextCursor"):
            return found
        params["cursor"] = page["nextCursor"]


def _all_folders(rest: Rest) -> list[dict]:
    return _all(rest, "folders", None)


# Each query finds what should not be. The names of tables are those of migrations/.
BREACHES = {
    "folders whose size is not the sum of the files below": """
        WITH RECURSIVE below(top, id) AS (
          SELECT id, id FROM nodes WHERE content_id IS NULL
          UNION ALL SELECT below.top, nodes.id FROM below JOIN nodes ON nodes.parent_id = below.id)
        SELECT top.id, top.size, top.files, top.folders,
               sum(iif(n.content_id IS NOT NULL, n.size, 0)) AS size_,
               sum(n.content_id IS NOT NULL) AS files_,
               sum(n.content_id IS NULL) - 1 AS folders_
        FROM below JOIN nodes top ON top.id = below.top JOIN nodes n ON n.id = below.id
        GROUP BY top.id HAVING top.size <> size_ OR top.files <> files_ OR top.folders <> folders_""",
    "folders whose members are not as many as they say": """
        SELECT t.id, t.member_files, t.member_folders FROM nodes t LEFT JOIN nodes m ON m.parent_id = t.id
        GROUP BY t.id HAVING t.member_files <> count(m.content_id)
          OR t.member_folders <> count(m.id) - count(m.content_id)""",
    "nodes that no root leads to": """
        WITH RECURSIVE reached(id) AS (
          SELECT id FROM nodes WHERE parent_id IS NULL
          UNION SELECT nodes.id FROM reached JOIN nodes ON nodes.parent_id = reached.id)
        SELECT id, name FROM nodes WHERE id NOT IN (SELECT id FROM reached)""",
    "nodes below a file": """
        SELECT n.id FROM nodes n JOIN nodes p ON p.id = n.parent_id WHERE p.content_id IS NOT NULL""",
    "drives without a root": "SELECT account_id FROM drives WHERE account_id NOT IN (SELECT root_of FROM nodes WHERE root_of IS NOT NULL)",
    "files whose size is not that of their content": """
        SELECT n.id, n.size, c.size FROM nodes n JOIN contents c ON c.id = n.content_id WHERE n.size <> c.size""",
    "versions whose size is not that of their content": """
        SELECT v.id, v.size, c.size FROM versions v JOIN contents c ON c.id = v.content_id WHERE v.size <> c.size""",
    "contents whose size is not the sum of their parts": """
        SELECT c.id, c.size, coalesce(sum(p.size), 0) AS parts FROM contents c LEFT JOIN parts p ON p.content_id = c.id
        GROUP BY c.id HAVING c.size <> parts""",
    "contents that nothing names": """
        SELECT id FROM contents WHERE id NOT IN (SELECT content_id FROM nodes WHERE content_id IS NOT NULL)
                                  AND id NOT IN (SELECT content_id FROM versions)""",
    "parts without a content": "SELECT blob_key FROM parts WHERE content_id NOT IN (SELECT id FROM contents)",
    "blobs in use that count as garbage": "SELECT blob_key FROM parts WHERE blob_key IN (SELECT blob_key FROM blob_garbage)",
    "drives whose version_bytes is not the sum of the versions": """
        SELECT d.account_id, d.version_bytes, coalesce(sum(v.size), 0) AS sum_
        FROM drives d LEFT JOIN versions v ON v.account_id = d.account_id
        GROUP BY d.account_id HAVING d.version_bytes <> sum_""",
    "versions of another drive than their file": """
        WITH RECURSIVE owned(account, id) AS (
          SELECT abs(root_of), id FROM nodes WHERE root_of IS NOT NULL
          UNION ALL SELECT owned.account, nodes.id FROM owned JOIN nodes ON nodes.parent_id = owned.id)
        SELECT v.id FROM versions v LEFT JOIN owned o ON o.id = v.node_id WHERE o.account IS NOT v.account_id""",
    "locks of another drive than their node": """
        WITH RECURSIVE owned(account, id) AS (
          SELECT abs(root_of), id FROM nodes WHERE root_of IS NOT NULL
          UNION ALL SELECT owned.account, nodes.id FROM owned JOIN nodes ON nodes.parent_id = owned.id)
        SELECT l.token FROM locks l LEFT JOIN owned o ON o.id = l.node_id WHERE o.account IS NOT l.account_id""",
    "exclusive locks beside another lock on the same node": """
        SELECT a.token FROM locks a JOIN locks b ON b.node_id = a.node_id AND b.token <> a.token
        WHERE a.exclusive AND a.expires_at > unixepoch() * 1000 AND b.expires_at > unixepoch() * 1000""",
    "what is at the top of a trash and was not deleted, or the other way round": """
        SELECT n.id FROM nodes n JOIN nodes b ON b.id = n.parent_id AND b.root_of < 0
          WHERE NOT EXISTS (SELECT 1 FROM trashed WHERE node_id = n.id AND account_id = -b.root_of)
        UNION ALL SELECT t.node_id FROM trashed t JOIN nodes n ON n.id = t.node_id JOIN nodes p ON p.id = n.parent_id
          WHERE p.root_of IS NOT -t.account_id""",
    "properties of nothing": "SELECT node_id FROM properties WHERE node_id NOT IN (SELECT id FROM nodes)",
    "tags of another drive than their node": """
        WITH RECURSIVE owned(account, id) AS (
          SELECT abs(root_of), id FROM nodes WHERE root_of IS NOT NULL
          UNION ALL SELECT owned.account, nodes.id FROM owned JOIN nodes ON nodes.parent_id = owned.id)
        SELECT t.node_id, t.tag FROM tags t LEFT JOIN owned o ON o.id = t.node_id WHERE o.account IS NOT t.account_id""",
    "files with more than ten versions": "SELECT node_id, count(*) FROM versions GROUP BY node_id HAVING count(*) > 10",
    "guards that were left behind": "SELECT failed FROM guard",
}


def breaches(database: sqlite3.Connection) -> dict[str, list]:
    """What is wrong in a drive's database; empty when nothing is."""
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = {"foreign keys": database.execute("PRAGMA foreign_key_check").fetchall()}
    for name, query in BREACHES.items():
        found[name] = database.execute(query).fetchmany(20)
    return {name: rows for name, rows in found.items() if rows}


def blob_breaches(database: sqlite3.Connection, stored: dict[str, int]) -> dict[str, list]:
    """Parts and chunks without their blob, and blobs that are neither in use nor known as garbage."""
    used = {key for (key,) in database.execute("SELECT blob_key FROM parts UNION SELECT blob_key FROM chunks")}
    garbage = {key for (key,) in database.execute("SELECT blob_key FROM blob_garbage")}
    found = {"missing blobs": sorted(used - set(stored)), "unknown blobs": sorted(set(stored) - used - garbage)}
    return {name: keys for name, keys in found.items() if keys}
