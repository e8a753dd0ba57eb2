-- Digests are empty until somebody has read all of a content.
ALTER TABLE contents ADD COLUMN adler32 TEXT NOT NULL DEFAULT '';

-- Uploads that come in chunks. name is the client's, or made for TUS; total the bytes that it announced; target, for TUS,
-- where the file is to be, as JSON.
CREATE TABLE uploads (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  total INTEGER,
  target TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  UNIQUE (account_id, name)
) STRICT;
CREATE INDEX uploads_expire ON uploads(expires_at);

-- Their chunks, each a blob. number is their order.
CREATE TABLE chunks (
  upload_id INTEGER NOT NULL REFERENCES uploads(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  blob_key TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL CHECK (size > 0),
  wrapped_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (upload_id, name)
) STRICT, WITHOUT ROWID;

-- A chunk that goes leaves its blob behind, unless a content has it.
CREATE TRIGGER chunks_deleted AFTER DELETE ON chunks
  WHEN NOT EXISTS (SELECT 1 FROM parts WHERE blob_key = OLD.blob_key)
BEGIN
  INSERT OR IGNORE INTO blob_garbage (blob_key, due_at) VALUES (OLD.blob_key, unixepoch() * 1000);
END;
