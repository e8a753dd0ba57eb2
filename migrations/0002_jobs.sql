-- The outbox: what is still to be done. The batch that causes a job inserts it; whoever does it holds a lease, until
-- which due_at lies ahead; it is deleted when it is done. subject is what it is about: for kind webhook, the webhook.
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject INTEGER NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'dead')),
  tries INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER NOT NULL,
  lease TEXT,
  error TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_due ON jobs(state, due_at);
CREATE INDEX jobs_subject ON jobs(kind, subject);

-- Where other systems want to hear of files. events are names with spaces between them; secret is sealed.
CREATE TABLE webhooks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  events TEXT NOT NULL,
  folder_id INTEGER REFERENCES nodes(id) ON DELETE CASCADE,
  enabled INTEGER NOT NULL DEFAULT 1,
  failing_since INTEGER,
  disabled_reason TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhooks_account ON webhooks(account_id);
CREATE INDEX webhooks_folder ON webhooks(folder_id) WHERE folder_id IS NOT NULL;

-- Attempts to tell a webhook of an event. event is what it was told.
CREATE TABLE deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook_id INTEGER NOT NULL REFERENCES webhooks(id) ON DELETE CASCADE,
  event_id TEXT NOT NULL,
  event TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  at INTEGER NOT NULL,
  status INTEGER,
  duration_ms INTEGER NOT NULL,
  answer TEXT,
  error TEXT
) STRICT;
CREATE INDEX deliveries_webhook ON deliveries(webhook_id, id);

-- A blob that is being deleted is given up: nothing links it any more. One that was uploaded and never linked may have
-- left an unfinished multipart upload.
ALTER TABLE blob_garbage ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blob_garbage ADD COLUMN uploaded INTEGER NOT NULL DEFAULT 0;

-- Since when a blob is garbage, so that it can stay for a time of grace.
DROP TRIGGER parts_deleted;
CREATE TRIGGER parts_deleted AFTER DELETE ON parts
BEGIN
  INSERT OR IGNORE INTO blob_garbage (blob_key, due_at) VALUES (OLD.blob_key, unixepoch() * 1000);
END;
