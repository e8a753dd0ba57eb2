-- Logins under way by Nextcloud's login flow, in the directory: whose they will be is not known at first. page and poll are
-- hashes of the secrets in the URL of the page and of the client that waits; granted, sealed, is what that client is told.
CREATE TABLE logins (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  page TEXT NOT NULL UNIQUE,
  poll TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL,
  granted TEXT,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX logins_expire ON logins(expires_at);
