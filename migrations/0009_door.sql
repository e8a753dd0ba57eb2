-- What a drive holds beside its bytes, so that each batch can be held against the limits of the drive without counting.
-- Triggers keep it. property_bytes are dead properties and tags.
ALTER TABLE drives ADD COLUMN upload_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drives ADD COLUMN property_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drives ADD COLUMN locks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE drives ADD COLUMN uploads INTEGER NOT NULL DEFAULT 0;

-- Whose they are: what a trigger can tell without a walk.
ALTER TABLE properties ADD COLUMN account_id INTEGER NOT NULL DEFAULT 0;
UPDATE properties SET account_id = (
  WITH RECURSIVE up(parent_id, root_of) AS (
    SELECT parent_id, root_of FROM nodes WHERE id = properties.node_id
    UNION ALL SELECT n.parent_id, n.root_of FROM up CROSS JOIN nodes n ON n.id = up.parent_id)
  SELECT abs(root_of) FROM up WHERE root_of IS NOT NULL);

UPDATE drives SET
  property_bytes = (SELECT coalesce(sum(64 + length(CAST(namespace AS BLOB)) + length(CAST(name AS BLOB)) +
      length(CAST(value AS BLOB)) + coalesce(length(CAST(lang AS BLOB)), 0)), 0)
    FROM properties p WHERE p.account_id = drives.account_id)
    + (SELECT coalesce(sum(64 + length(CAST(tag AS BLOB))), 0) FROM tags t WHERE t.account_id = drives.account_id),
  locks = (SELECT count(*) FROM locks l WHERE l.account_id = drives.account_id)
WHERE account_id > 0;

CREATE TRIGGER properties_set AFTER INSERT ON properties
BEGIN
  UPDATE drives SET property_bytes = property_bytes + 64 + length(CAST(NEW.namespace AS BLOB)) +
    length(CAST(NEW.name AS BLOB)) + length(CAST(NEW.value AS BLOB)) + coalesce(length(CAST(NEW.lang AS BLOB)), 0)
  WHERE account_id = NEW.account_id;
END;

CREATE TRIGGER properties_removed AFTER DELETE ON properties
BEGIN
  UPDATE drives SET property_bytes = property_bytes - 64 - length(CAST(OLD.namespace AS BLOB)) -
    length(CAST(OLD.name AS BLOB)) - length(CAST(OLD.value AS BLOB)) - coalesce(length(CAST(OLD.lang AS BLOB)), 0)
  WHERE account_id = OLD.account_id;
END;

CREATE TRIGGER tags_set AFTER INSERT ON tags
BEGIN
  UPDATE drives SET property_bytes = property_bytes + 64 + length(CAST(NEW.tag AS BLOB))
  WHERE account_id = NEW.account_id;
END;

CREATE TRIGGER tags_removed AFTER DELETE ON tags
BEGIN
  UPDATE drives SET property_bytes = property_bytes - 64 - length(CAST(OLD.tag AS BLOB))
  WHERE account_id = OLD.account_id;
END;

CREATE TRIGGER locks_taken AFTER INSERT ON locks
BEGIN
  UPDATE drives SET locks = locks + 1 WHERE account_id = NEW.account_id;
END;

CREATE TRIGGER locks_ended AFTER DELETE ON locks
BEGIN
  UPDATE drives SET locks = locks - 1 WHERE account_id = OLD.account_id;
END;

-- Uploads in pieces belong to the token that began them, and go with it. Those under way belong to nobody known: their
-- clients begin anew.
DELETE FROM chunks;
DROP TABLE chunks;
DROP TABLE uploads;

-- received and pieces are the sum and the number of its chunks, or, once it is linked, what they were. Each change counts
-- revision up: what was decided on another one is not done.
CREATE TABLE uploads (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  token_id INTEGER NOT NULL REFERENCES tokens(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  total INTEGER,
  target TEXT,
  received INTEGER NOT NULL DEFAULT 0,
  pieces INTEGER NOT NULL DEFAULT 0,
  revision INTEGER NOT NULL DEFAULT 0,
  linked INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  UNIQUE (token_id, name)
) STRICT;
CREATE INDEX uploads_expire ON uploads(expires_at);

-- Of one number there is one, however its client writes it.
CREATE TABLE chunks (
  upload_id INTEGER NOT NULL REFERENCES uploads(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  blob_key TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL CHECK (size > 0),
  wrapped_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  PRIMARY KEY (upload_id, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER uploads_begun AFTER INSERT ON uploads
BEGIN
  UPDATE drives SET uploads = uploads + 1 WHERE account_id = NEW.account_id;
END;

CREATE TRIGGER uploads_ended AFTER DELETE ON uploads
BEGIN
  UPDATE drives SET uploads = uploads - 1 WHERE account_id = OLD.account_id;
END;

CREATE TRIGGER chunks_added AFTER INSERT ON chunks
BEGIN
  UPDATE drives SET upload_bytes = upload_bytes + NEW.size WHERE account_id = NEW.account_id;
  UPDATE uploads SET received = received + NEW.size, pieces = pieces + 1, revision = revision + 1
    WHERE id = NEW.upload_id;
END;

-- A chunk that goes leaves its blob behind, unless a content has it. An upload that is linked keeps its numbers.
CREATE TRIGGER chunks_deleted AFTER DELETE ON chunks
BEGIN
  UPDATE drives SET upload_bytes = upload_bytes - OLD.size WHERE account_id = OLD.account_id;
  UPDATE uploads SET received = received - OLD.size, pieces = pieces - 1, revision = revision + 1
    WHERE id = OLD.upload_id AND NOT linked;
  INSERT OR IGNORE INTO blob_garbage (blob_key, due_at) SELECT OLD.blob_key, unixepoch() * 1000
    WHERE NOT EXISTS (SELECT 1 FROM parts WHERE blob_key = OLD.blob_key);
END;

-- What the client said that the digest of a content would be, as ALGORITHM:HEX, and whether it is another one: a job
-- finds that out where the content came in pieces.
ALTER TABLE contents ADD COLUMN expected TEXT;
ALTER TABLE contents ADD COLUMN mismatch INTEGER NOT NULL DEFAULT 0;
CREATE INDEX contents_mismatch ON contents(id) WHERE mismatch;

DROP TABLE guard;
CREATE TABLE guard (
  failed TEXT NOT NULL,
  CONSTRAINT guard_parent CHECK (failed <> 'parent'),
  CONSTRAINT guard_gone CHECK (failed <> 'gone'),
  CONSTRAINT guard_exists CHECK (failed <> 'exists'),
  CONSTRAINT guard_etag CHECK (failed <> 'etag'),
  CONSTRAINT guard_lock CHECK (failed <> 'lock'),
  CONSTRAINT guard_cycle CHECK (failed <> 'cycle'),
  CONSTRAINT guard_upload CHECK (failed <> 'upload'),
  CONSTRAINT guard_infected CHECK (failed <> 'infected'),
  CONSTRAINT guard_token CHECK (failed <> 'token'),
  CONSTRAINT guard_place CHECK (failed <> 'place'),
  CONSTRAINT guard_quota CHECK (failed <> 'quota'),
  CONSTRAINT guard_nodes CHECK (failed <> 'nodes'),
  CONSTRAINT guard_properties CHECK (failed <> 'properties'),
  CONSTRAINT guard_locks CHECK (failed <> 'locks'),
  CONSTRAINT guard_uploads CHECK (failed <> 'uploads'),
  CONSTRAINT guard_pieces CHECK (failed <> 'pieces'),
  CONSTRAINT guard_path CHECK (failed <> 'path'),
  CONSTRAINT guard_tokens CHECK (failed <> 'tokens'),
  CONSTRAINT guard_unknown CHECK (failed IN ('parent', 'gone', 'exists', 'etag', 'lock', 'cycle', 'upload', 'infected',
    'token', 'place', 'quota', 'nodes', 'properties', 'locks', 'uploads', 'pieces', 'path',
    'tokens'))
) STRICT;
