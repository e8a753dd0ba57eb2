-- How many files and folders are directly in a folder. Triggers count, whatever makes, moves or deletes a node.
ALTER TABLE nodes ADD COLUMN member_files INTEGER NOT NULL DEFAULT 0 CHECK (member_files >= 0);
ALTER TABLE nodes ADD COLUMN member_folders INTEGER NOT NULL DEFAULT 0 CHECK (member_folders >= 0);
UPDATE nodes SET
  member_files = (SELECT count(*) FROM nodes m WHERE m.parent_id = nodes.id AND m.content_id IS NOT NULL),
  member_folders = (SELECT count(*) FROM nodes m WHERE m.parent_id = nodes.id AND m.content_id IS NULL)
WHERE content_id IS NULL;

CREATE TRIGGER nodes_member_made AFTER INSERT ON nodes WHEN NEW.parent_id IS NOT NULL
BEGIN
  UPDATE nodes SET member_files = member_files + (NEW.content_id IS NOT NULL),
    member_folders = member_folders + (NEW.content_id IS NULL) WHERE id = NEW.parent_id;
END;

CREATE TRIGGER nodes_member_gone AFTER DELETE ON nodes WHEN OLD.parent_id IS NOT NULL
BEGIN
  UPDATE nodes SET member_files = member_files - (OLD.content_id IS NOT NULL),
    member_folders = member_folders - (OLD.content_id IS NULL) WHERE id = OLD.parent_id;
END;

CREATE TRIGGER nodes_member_moved AFTER UPDATE OF parent_id ON nodes WHEN OLD.parent_id IS NOT NEW.parent_id
BEGIN
  UPDATE nodes SET member_files = member_files - (OLD.content_id IS NOT NULL),
    member_folders = member_folders - (OLD.content_id IS NULL) WHERE id = OLD.parent_id;
  UPDATE nodes SET member_files = member_files + (NEW.content_id IS NOT NULL),
    member_folders = member_folders + (NEW.content_id IS NULL) WHERE id = NEW.parent_id;
END;

-- When a file got its present content; where that is NULL, when it was made.
ALTER TABLE nodes ADD COLUMN uploaded_at INTEGER;

-- When a lock was taken: a refresh leaves that alone.
ALTER TABLE locks ADD COLUMN taken_at INTEGER NOT NULL DEFAULT 0;
UPDATE locks SET taken_at = expires_at - timeout_s * 1000;

-- What people mark files and folders with. A favourite is one with the tag that Nextcloud uses for it.
CREATE TABLE tags (
  account_id INTEGER NOT NULL,
  tag TEXT NOT NULL,
  node_id INTEGER NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
  PRIMARY KEY (account_id, tag, node_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_node ON tags(node_id);

-- They were dead properties before.
INSERT INTO tags (account_id, tag, node_id)
  WITH RECURSIVE up(node_id, id) AS (
    SELECT node_id, node_id FROM properties
      WHERE namespace = 'http://owncloud.org/ns' AND name = 'favorite' AND value = '1'
    UNION ALL SELECT up.node_id, n.parent_id FROM up CROSS JOIN nodes n ON n.id = up.id WHERE n.parent_id IS NOT NULL)
  SELECT abs(n.root_of), '_$!<Favorite>!$_', up.node_id FROM up CROSS JOIN nodes n ON n.id = up.id
  WHERE n.root_of IS NOT NULL;
DELETE FROM properties WHERE (namespace = 'http://owncloud.org/ns' AND name IN ('favorite', 'tags'))
  OR (namespace = 'http://nextcloud.org/ns' AND name = 'creation_time');

-- What a picture or a piece of music tells of itself, as JSON; NULL where nobody has looked, or it tells nothing.
ALTER TABLE contents ADD COLUMN media TEXT;
