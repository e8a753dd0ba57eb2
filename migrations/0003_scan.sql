-- What a virus scanner said of a content, and what it found. Until it is 'clean' or 'skipped' (nobody asked, or nobody
-- could), the content is unsettled.
ALTER TABLE contents ADD COLUMN av TEXT NOT NULL DEFAULT 'skipped'
  CHECK (av IN ('pending', 'clean', 'infected', 'error', 'skipped'));
ALTER TABLE contents ADD COLUMN signature TEXT;
CREATE INDEX contents_unsettled ON contents(av, id) WHERE av NOT IN ('clean', 'skipped');

-- When a file first had a settled content: it is announced then, and not before. NULL for folders.
ALTER TABLE nodes ADD COLUMN settled_at INTEGER;
UPDATE nodes SET settled_at = created_at WHERE content_id IS NOT NULL;

-- One row while the scanner fails: uploads do not wait for it until retry_at.
CREATE TABLE scanner (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  failing_since INTEGER NOT NULL,
  retry_at INTEGER NOT NULL,
  error TEXT NOT NULL
) STRICT;

-- The last rescan: contents in the order of their ids, up to and including cursor, have jobs or are done; those after
-- previous were the last to get some.
CREATE TABLE rescan (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  previous TEXT NOT NULL,
  cursor TEXT NOT NULL,
  total INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;

-- A scan that was given up leaves its content without a verdict. The payload of kind scan is the content, its subject 0
-- after an upload, 1 in a rescan.
CREATE TRIGGER scan_given_up AFTER UPDATE OF state ON jobs WHEN NEW.state = 'dead' AND NEW.kind = 'scan'
BEGIN
  UPDATE contents SET av = 'error' WHERE id = NEW.payload AND av = 'pending';
END;

DROP TABLE guard;
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
  CONSTRAINT guard_infected CHECK (failed <> 'infected'),
  CONSTRAINT guard_unknown CHECK (failed IN
    ('parent', 'gone', 'exists', 'etag', 'lock', 'cycle', 'quota', 'upload', 'infected'))
) STRICT;

-- Which jobs are leased, and which webhooks fail: the latter are tried with one job at a time.
CREATE INDEX jobs_leased ON jobs(kind, subject) WHERE lease IS NOT NULL;
CREATE INDEX webhooks_failing ON webhooks(id) WHERE failing_since IS NOT NULL;
