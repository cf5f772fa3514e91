-- Work in the background that outlives a restart, and what makes it at its times.

CREATE TABLE jobs (
  id              TEXT PRIMARY KEY,
  kind            TEXT NOT NULL,
  state           TEXT NOT NULL,
  organization    TEXT,
  target          TEXT,
  parameters      TEXT NOT NULL,
  secret          BLOB,
  result          TEXT,
  error           TEXT,
  current_step    TEXT NOT NULL,
  items_processed INTEGER NOT NULL,
  items_total     INTEGER,
  attempt         INTEGER NOT NULL,
  attempts_most   INTEGER NOT NULL,
  due_at_ms       INTEGER NOT NULL,
  holder          TEXT,
  lease_until_ms  INTEGER,
  cancel_asked    INTEGER NOT NULL,
  schedule        TEXT,
  requested_by    TEXT NOT NULL,
  created_by      TEXT,
  created_at_ms   INTEGER NOT NULL,
  started_at_ms   INTEGER,
  finished_at_ms  INTEGER
);
CREATE INDEX jobs_due ON jobs (state, due_at_ms);
CREATE INDEX jobs_by_time ON jobs (created_at_ms, id);

CREATE TABLE schedules (
  id           TEXT PRIMARY KEY,
  organization TEXT,
  name         TEXT NOT NULL,
  kind         TEXT NOT NULL,
  parameters   TEXT NOT NULL,
  secret       BLOB,
  cadence      TEXT NOT NULL,
  enabled      INTEGER NOT NULL,
  next_at_ms   INTEGER NOT NULL,
  last_job     TEXT,
  requested_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX schedules_due ON schedules (enabled, next_at_ms);
