-- Curricula and the jobs that import them. Times are Unix milliseconds.

-- `document` is the UMCF document as it came; the other columns are what lists show of it.
CREATE TABLE curricula (
  id            TEXT PRIMARY KEY,
  title         TEXT NOT NULL,
  summary       TEXT NOT NULL,
  document      TEXT NOT NULL,
  source        TEXT,
  import_job    TEXT,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  deleted_at_ms INTEGER
);
CREATE INDEX curricula_by_title ON curricula (title, id);

-- Pictures and sounds that an import brought along.
CREATE TABLE curriculum_assets (
  curriculum TEXT NOT NULL REFERENCES curricula (id),
  id         TEXT NOT NULL,
  title      TEXT NOT NULL,
  media_type TEXT NOT NULL,
  bytes      BLOB NOT NULL,
  PRIMARY KEY (curriculum, id)
) WITHOUT ROWID;

CREATE TABLE import_jobs (
  id             TEXT PRIMARY KEY,
  source         TEXT NOT NULL,
  course         TEXT NOT NULL,
  request        TEXT NOT NULL,
  status         TEXT NOT NULL,
  progress       TEXT NOT NULL,
  requested_by   TEXT NOT NULL,
  created_at_ms  INTEGER NOT NULL,
  started_at_ms  INTEGER,
  finished_at_ms INTEGER
);
CREATE INDEX import_jobs_by_time ON import_jobs (created_at_ms, id);
CREATE INDEX import_jobs_open ON import_jobs (created_at_ms) WHERE finished_at_ms IS NULL;
