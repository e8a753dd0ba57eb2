-- The directory: who exists. Everything else belongs to one drive.
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  login TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

-- The drive of an account. Its used bytes are the size of its root plus version_bytes.
CREATE TABLE drives (
  account_id INTEGER PRIMARY KEY,
  login TEXT NOT NULL,
  display_name TEXT NOT NULL,
  quota INTEGER CHECK (quota >= 0),
  version_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;

-- An immutable content; what no node and no version names is collected by the triggers below.
CREATE TABLE contents (
  id TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  sha1 TEXT NOT NULL,
  md5 TEXT NOT NULL,
  sha256 TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE parts (
  content_id TEXT NOT NULL REFERENCES contents(id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  blob_key TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL CHECK (size > 0),
  wrapped_key TEXT NOT NULL,
  PRIMARY KEY (content_id, seq)
) STRICT, WITHOUT ROWID;

-- Files and folders: a node is a file exactly if it has a content. size, files and folders of a
-- folder are totals of everything below it.
CREATE TABLE nodes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  root_of INTEGER UNIQUE REFERENCES drives(account_id),
  parent_id INTEGER REFERENCES nodes(id),
  name TEXT NOT NULL,
  content_id TEXT REFERENCES contents(id),
  mime TEXT,
  size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
  files INTEGER NOT NULL DEFAULT 0 CHECK (files >= 0),
  folders INTEGER NOT NULL DEFAULT 0 CHECK (folders >= 0),
  etag TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  UNIQUE (parent_id, name),
  CHECK ((root_of IS NULL) = (parent_id IS NOT NULL))
) STRICT;
CREATE INDEX nodes_content ON nodes(content_id) WHERE content_id IS NOT NULL;
CREATE INDEX nodes_folders ON nodes(parent_id) WHERE content_id IS NULL;

CREATE TABLE versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  content_id TEXT NOT NULL REFERENCES contents(id),
  mime TEXT,
  size INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  replaced_at INTEGER NOT NULL
) STRICT;
CREATE INDEX versions_node ON versions(node_id, id);
CREATE INDEX versions_content ON versions(content_id);

-- Dead properties: value is the XML inside the property element, namespaces declared; lang its
-- xml:lang.
CREATE TABLE properties (
  node_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  lang TEXT,
  PRIMARY KEY (node_id, namespace, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE locks (
  token TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL,
  node_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  exclusive INTEGER NOT NULL,
  infinite INTEGER NOT NULL,
  owner TEXT NOT NULL,
  timeout_s INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX locks_node ON locks(node_id);
CREATE INDEX locks_account ON locks(account_id);

-- A token that is confined to a folder goes with it.
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  folder_id INTEGER REFERENCES nodes(id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  used_at INTEGER
) STRICT;
CREATE INDEX tokens_account ON tokens(account_id);
CREATE INDEX tokens_folder ON tokens(folder_id) WHERE folder_id IS NOT NULL;

-- Blobs that nothing names: uploads under way (due long after they began) and what was deleted.
CREATE TABLE blob_garbage (
  blob_key TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_garbage_due ON blob_garbage(due_at);

-- A batch inserts the name of a guard whose condition does not hold; the constraint of that name
-- aborts the batch. The table stays empty.
CREATE TABLE guard (
  failed TEXT NOT NULL,
  CONSTRAINT guard_parent CHECK (failed <> 'parent'),
  CONSTRAINT guard_gone CHECK (failed <> 'gone'),
  CONSTRAINT guard_exists CHECK (failed <> 'exists'),
  CONSTRAINT guard_etag CHECK (failed <> 'etag'),
  CONSTRAINT guard_lock CHECK (failed <> 'lock'),
  CONSTRAINT guard_cycle CHECK (failed <> 'cycle'),
  CONSTRAINT guard_quota CHECK (failed <> 'quota'),
  CONSTRAINT guard_upload CHECK (failed <> 'upload'),
  CONSTRAINT guard_unknown CHECK (failed IN ('parent', 'gone', 'exists', 'etag', 'lock', 'cycle', 'quota', 'upload'))
) STRICT;

-- Whatever drops the last name of a content drops the content, and records its blobs as garbage.
CREATE TRIGGER nodes_deleted AFTER DELETE ON nodes WHEN OLD.content_id IS NOT NULL
BEGIN
  DELETE FROM contents WHERE id = OLD.content_id
    AND NOT EXISTS (SELECT 1 FROM nodes WHERE content_id = OLD.content_id)
    AND NOT EXISTS (SELECT 1 FROM versions WHERE content_id = OLD.content_id);
END;

CREATE TRIGGER nodes_content_replaced AFTER UPDATE OF content_id ON nodes
  WHEN OLD.content_id IS NOT NULL AND OLD.content_id IS NOT NEW.content_id
BEGIN
  DELETE FROM contents WHERE id = OLD.content_id
    AND NOT EXISTS (SELECT 1 FROM nodes WHERE content_id = OLD.content_id)
    AND NOT EXISTS (SELECT 1 FROM versions WHERE content_id = OLD.content_id);
END;

CREATE TRIGGER versions_inserted AFTER INSERT ON versions
BEGIN
  UPDATE drives SET version_bytes = version_bytes + NEW.size WHERE account_id = NEW.account_id;
END;

CREATE TRIGGER versions_deleted AFTER DELETE ON versions
BEGIN
  UPDATE drives SET version_bytes = version_bytes - OLD.size WHERE account_id = OLD.account_id;
  DELETE FROM contents WHERE id = OLD.content_id
    AND NOT EXISTS (SELECT 1 FROM nodes WHERE content_id = OLD.content_id)
    AND NOT EXISTS (SELECT 1 FROM versions WHERE content_id = OLD.content_id);
END;

CREATE TRIGGER parts_deleted AFTER DELETE ON parts
BEGIN
  INSERT OR IGNORE INTO blob_garbage (blob_key, due_at) VALUES (OLD.blob_key, 0);
END;
