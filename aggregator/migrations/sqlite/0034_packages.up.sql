-- Components that were installed through the API, whose signatures are taken, and where which runs.

-- `key_id` as minisign prints it.
CREATE TABLE plugin_publishers (
  key_id      TEXT PRIMARY KEY,
  name        TEXT NOT NULL,
  public_key  TEXT NOT NULL,
  added_by    TEXT NOT NULL,
  added_at_ms INTEGER NOT NULL
);
-- `state` is `waiting`, `described` or `rejected`; `manifest` is JSON, as the component said it.
CREATE TABLE plugin_packages (
  hash            TEXT PRIMARY KEY,
  size            INTEGER NOT NULL,
  state           TEXT NOT NULL,
  reason          TEXT,
  plugin          TEXT,
  manifest        TEXT,
  publisher       TEXT,
  installed_by    TEXT NOT NULL,
  installed_at_ms INTEGER NOT NULL,
  bytes           BLOB NOT NULL
);
CREATE INDEX plugin_packages_by_plugin ON plugin_packages (plugin, installed_at_ms);
-- `previous`, `grants` and `target` are JSON.
CREATE TABLE plugin_rollouts (
  plugin        TEXT PRIMARY KEY,
  hash          TEXT NOT NULL REFERENCES plugin_packages (hash),
  previous      TEXT,
  grants        TEXT NOT NULL,
  target        TEXT NOT NULL,
  revision      INTEGER NOT NULL,
  updated_by    TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL
);
