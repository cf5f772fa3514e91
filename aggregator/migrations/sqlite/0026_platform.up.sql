-- What applications send of themselves, and the instances of the aggregator that serve them.
-- Times are Unix milliseconds.

-- Numbers that only grow: `logs` gives the entries of `log_entries` their place.
CREATE TABLE counters (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);

-- One sender's applications are nobody else's, whatever they call themselves.
CREATE TABLE clients (
  sender        TEXT NOT NULL,
  client_id     TEXT NOT NULL,
  client_name   TEXT,
  status        TEXT,
  memory_mb     REAL,
  cpu_percent   REAL,
  created_at_ms INTEGER NOT NULL,
  seen_at_ms    INTEGER NOT NULL,
  logs_sent     INTEGER NOT NULL,
  metrics_sent  INTEGER NOT NULL,
  reports_kept  INTEGER NOT NULL,
  PRIMARY KEY (sender, client_id)
);
CREATE INDEX clients_by_seen ON clients (seen_at_ms);
CREATE INDEX clients_by_reports ON clients (reports_kept);

-- `metadata` is a JSON object.
CREATE TABLE log_entries (
  seq         INTEGER PRIMARY KEY,
  sender      TEXT NOT NULL,
  client_id   TEXT NOT NULL,
  id          TEXT NOT NULL,
  client_name TEXT,
  at_ms       INTEGER NOT NULL,
  level       TEXT NOT NULL,
  label       TEXT,
  message     TEXT NOT NULL,
  file        TEXT,
  function    TEXT,
  line        INTEGER,
  metadata    TEXT,
  UNIQUE (sender, client_id, id)
);
CREATE INDEX log_entries_by_level ON log_entries (level, seq);

CREATE TABLE instances (
  id            TEXT PRIMARY KEY,
  version       TEXT NOT NULL,
  api           TEXT NOT NULL,
  ingest        TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  seen_at_ms    INTEGER NOT NULL
);

-- A report's id is its client's: another client may use the same.
ALTER TABLE application_reports RENAME TO old_application_reports;
DROP INDEX application_reports_by_time;
DROP INDEX application_reports_by_client;
CREATE TABLE application_reports (
  seq                INTEGER PRIMARY KEY,
  sender             TEXT NOT NULL,
  client_id          TEXT NOT NULL,
  id                 TEXT NOT NULL,
  client_name        TEXT,
  at_ms              INTEGER NOT NULL,
  memory_mb          REAL,
  cpu_percent        REAL,
  network_latency_ms REAL,
  custom_metrics     TEXT NOT NULL,
  UNIQUE (sender, client_id, id)
);
INSERT INTO application_reports
  SELECT seq, '00000000-0000-0000-0000-000000000000', client_id, id, client_name, at_ms, memory_mb,
    cpu_percent, network_latency_ms, custom_metrics FROM old_application_reports;
DROP TABLE old_application_reports;
CREATE INDEX application_reports_by_time ON application_reports (at_ms, seq);
CREATE INDEX application_reports_by_client ON application_reports (client_id, at_ms, seq);
CREATE INDEX application_reports_by_age ON application_reports (sender, client_id, seq);

INSERT INTO clients (sender, client_id, client_name, created_at_ms, seen_at_ms, logs_sent,
    metrics_sent, reports_kept)
  SELECT sender, client_id, max(client_name), min(at_ms), max(at_ms), 0, count(*), count(*)
  FROM application_reports GROUP BY sender, client_id;
INSERT INTO counters (name, value) SELECT 'metrics', count(*) FROM application_reports;
INSERT INTO counters (name, value) VALUES ('logs', 0);
INSERT INTO counters (name, value) SELECT 'reports', coalesce(max(seq), 0) FROM application_reports;
