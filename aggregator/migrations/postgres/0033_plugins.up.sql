-- What operators decided of plugins, by the plugin's own id. `settings` is sealed JSON; a plugin
-- that nobody decided anything of has no row.
CREATE TABLE plugin_choices (
  id            TEXT COLLATE "C" PRIMARY KEY,
  enabled       BIGINT NOT NULL DEFAULT 1,
  priority      BIGINT NOT NULL DEFAULT 100,
  settings      BYTEA,
  updated_at_ms BIGINT NOT NULL,
  updated_by    TEXT COLLATE "C" NOT NULL
);
-- One row once somebody has chosen for the first time.
CREATE TABLE plugins_initialized (
  id    BIGINT PRIMARY KEY CHECK (id = 1),
  at_ms BIGINT NOT NULL
);
