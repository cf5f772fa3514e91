-- What operators decided of plugins, by the plugin's own id. `settings` is sealed JSON; a plugin
-- that nobody decided anything of has no row.
CREATE TABLE plugin_choices (
  id            TEXT PRIMARY KEY,
  enabled       INTEGER NOT NULL DEFAULT 1,
  priority      INTEGER NOT NULL DEFAULT 100,
  settings      BLOB,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT NOT NULL
);
-- One row once somebody has chosen for the first time.
CREATE TABLE plugins_initialized (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  at_ms INTEGER NOT NULL
);
