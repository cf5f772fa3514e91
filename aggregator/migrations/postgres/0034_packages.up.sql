-- Components that were installed through the API, whose signatures are taken, and where which runs.

-- `key_id` as minisign prints it.
CREATE TABLE plugin_publishers (
  key_id      TEXT COLLATE "C" PRIMARY KEY,
  name        TEXT COLLATE "C" NOT NULL,
  public_key  TEXT COLLATE "C" NOT NULL,
  added_by    TEXT COLLATE "C" NOT NULL,
  added_at_ms BIGINT NOT NULL
);
-- `state` is `waiting`, `described` or `rejected`; `manifest` is JSON, as the component said it.
CREATE TABLE plugin_packages (
  hash            TEXT COLLATE "C" PRIMARY KEY,
  size            BIGINT NOT NULL,
  state           TEXT COLLATE "C" NOT NULL,
  reason          TEXT COLLATE "C",
  plugin          TEXT COLLATE "C",
  manifest        TEXT COLLATE "C",
  publisher       TEXT COLLATE "C",
  installed_by    TEXT COLLATE "C" NOT NULL,
  installed_at_ms BIGINT NOT NULL,
  bytes           BYTEA NOT NULL
);
CREATE INDEX plugin_packages_by_plugin ON plugin_packages (plugin, installed_at_ms);
-- `previous`, `grants` and `target` are JSON.
CREATE TABLE plugin_rollouts (
  plugin        TEXT COLLATE "C" PRIMARY KEY,
  hash          TEXT COLLATE "C" NOT NULL REFERENCES plugin_packages (hash),
  previous      TEXT COLLATE "C",
  grants        TEXT COLLATE "C" NOT NULL,
  target        TEXT COLLATE "C" NOT NULL,
  revision      BIGINT NOT NULL,
  updated_by    TEXT COLLATE "C" NOT NULL,
  updated_at_ms BIGINT NOT NULL
);
