-- Curricula and the jobs that import them. Times are Unix milliseconds.

-- `document` is the UMCF document as it came; the other columns are what lists show of it.
CREATE TABLE curricula (
  id            TEXT COLLATE "C" PRIMARY KEY,
  title         TEXT COLLATE "C" NOT NULL,
  summary       TEXT COLLATE "C" NOT NULL,
  document      TEXT COLLATE "C" NOT NULL,
  source        TEXT COLLATE "C",
  import_job    TEXT COLLATE "C",
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  deleted_at_ms BIGINT
);
CREATE INDEX curricula_by_title ON curricula (title, id);

-- Pictures and sounds that an import brought along.
CREATE TABLE curriculum_assets (
  curriculum TEXT COLLATE "C" NOT NULL REFERENCES curricula (id),
  id         TEXT COLLATE "C" NOT NULL,
  title      TEXT COLLATE "C" NOT NULL,
  media_type TEXT COLLATE "C" NOT NULL,
  bytes      BYTEA NOT NULL,
  PRIMARY KEY (curriculum, id)
);

CREATE TABLE import_jobs (
  id             TEXT COLLATE "C" PRIMARY KEY,
  source         TEXT COLLATE "C" NOT NULL,
  course         TEXT COLLATE "C" NOT NULL,
  request        TEXT COLLATE "C" NOT NULL,
  status         TEXT COLLATE "C" NOT NULL,
  progress       TEXT COLLATE "C" NOT NULL,
  requested_by   TEXT COLLATE "C" NOT NULL,
  created_at_ms  BIGINT NOT NULL,
  started_at_ms  BIGINT,
  finished_at_ms BIGINT
);
CREATE INDEX import_jobs_by_time ON import_jobs (created_at_ms, id);
CREATE INDEX import_jobs_open ON import_jobs (created_at_ms) WHERE finished_at_ms IS NULL;
