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

-- When each machine came and went; what is not told by two rows is not known.
CREATE TABLE device_presence (
  seq      INTEGER PRIMARY KEY,
  device   TEXT NOT NULL,
  at_ms    INTEGER NOT NULL,
  online   INTEGER NOT NULL,
  instance TEXT NOT NULL
);
CREATE INDEX device_presence_by_device ON device_presence (device, seq);

-- Machines whose idleness is managed. `action` is what was asked of the machine last, as JSON;
-- `pending` says that it is still to be asked for its state.
CREATE TABLE idle_devices (
  device          TEXT PRIMARY KEY,
  enabled         INTEGER NOT NULL,
  mode            TEXT NOT NULL,
  timeout_minutes INTEGER,
  active_at_ms    INTEGER NOT NULL,
  awake_until_ms  INTEGER,
  forced_state    TEXT,
  forced_at_ms    INTEGER,
  state           TEXT NOT NULL,
  since_ms        INTEGER NOT NULL,
  pending         INTEGER NOT NULL,
  action          TEXT
);

CREATE TABLE idle_turns (
  seq        INTEGER PRIMARY KEY,
  device     TEXT NOT NULL,
  at_ms      INTEGER NOT NULL,
  from_state TEXT NOT NULL,
  to_state   TEXT NOT NULL,
  mode       TEXT NOT NULL
);
CREATE INDEX idle_turns_by_device ON idle_turns (device, seq);

-- `definition` is JSON: the thresholds, and the machine's word for each state.
CREATE TABLE power_profiles (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  definition    TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);

INSERT INTO counters (name, value) VALUES ('presence', 0);
INSERT INTO counters (name, value) VALUES ('idle', 0);
