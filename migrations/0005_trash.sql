-- What was deleted stays for a while, in a tree of its own. A root names a drive, so the trash of the account N is the
-- tree of a drive -N, which has nothing else.
INSERT INTO drives (account_id, login, display_name) SELECT -account_id, '', '' FROM drives;
INSERT INTO nodes (root_of, name, etag, created_at, modified_at)
  SELECT account_id, 'trash', lower(hex(randomblob(10))), unixepoch() * 1000, unixepoch() * 1000
  FROM drives WHERE account_id < 0;

-- What is at the top of a trash; its node's name there is its number. name is what it was called, in the folder folder_id,
-- and location the names from the drive's root to it.
CREATE TABLE trashed (
  node_id INTEGER PRIMARY KEY REFERENCES nodes(id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  folder_id INTEGER NOT NULL,
  location TEXT NOT NULL,
  deleted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX trashed_account ON trashed(account_id, node_id);
CREATE INDEX trashed_due ON trashed(deleted_at, node_id);
