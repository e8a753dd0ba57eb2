-- Jobs of one kind and subject stand in one line. What holds for the whole line is in one row, and not in each of its
-- jobs: while a webhook or the scanner fails, none of its jobs is tried before not_before.
DROP INDEX jobs_due;
DROP INDEX jobs_subject;
CREATE INDEX jobs_line ON jobs(state, kind, subject, due_at);
ALTER TABLE webhooks ADD COLUMN not_before INTEGER;
ALTER TABLE scanner ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;

-- What is to be deleted for good, and too large for one batch: a job does it, and nobody sees it any more.
ALTER TABLE trashed ADD COLUMN purging INTEGER NOT NULL DEFAULT 0;
CREATE INDEX trashed_purging ON trashed(account_id, node_id) WHERE purging;

-- How many versions a file had at most when all of them were last looked through.
CREATE TABLE versions_kept (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  kept INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_expire ON tokens(expires_at) WHERE expires_at IS NOT NULL;

-- The ids of the master keys that something has been sealed under. Which still need theirs, counting tells.
CREATE TABLE master_keys (
  id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
INSERT INTO master_keys
  SELECT substr(wrapped_key, 1, instr(wrapped_key, ':') - 1) FROM parts
  UNION SELECT substr(wrapped_key, 1, instr(wrapped_key, ':') - 1) FROM chunks
  UNION SELECT substr(secret, 1, instr(secret, ':') - 1) FROM webhooks
  UNION SELECT substr(granted, 1, instr(granted, ':') - 1) FROM logins WHERE granted IS NOT NULL;

CREATE TRIGGER parts_sealed AFTER INSERT ON parts
BEGIN
  INSERT OR IGNORE INTO master_keys VALUES (substr(NEW.wrapped_key, 1, instr(NEW.wrapped_key, ':') - 1));
END;

CREATE TRIGGER chunks_sealed AFTER INSERT ON chunks
BEGIN
  INSERT OR IGNORE INTO master_keys VALUES (substr(NEW.wrapped_key, 1, instr(NEW.wrapped_key, ':') - 1));
END;

CREATE TRIGGER webhooks_sealed AFTER INSERT ON webhooks
BEGIN
  INSERT OR IGNORE INTO master_keys VALUES (substr(NEW.secret, 1, instr(NEW.secret, ':') - 1));
END;

CREATE TRIGGER webhooks_sealed_anew AFTER UPDATE OF secret ON webhooks WHEN NEW.secret <> OLD.secret
BEGIN
  INSERT OR IGNORE INTO master_keys VALUES (substr(NEW.secret, 1, instr(NEW.secret, ':') - 1));
END;

CREATE TRIGGER logins_sealed AFTER UPDATE OF granted ON logins WHEN NEW.granted IS NOT NULL
BEGIN
  INSERT OR IGNORE INTO master_keys VALUES (substr(NEW.granted, 1, instr(NEW.granted, ':') - 1));
END;
