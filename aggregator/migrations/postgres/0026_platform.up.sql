-- What applications send of themselves, and the instances of the aggregator that serve them.
-- Times are Unix milliseconds.

-- Numbers that only grow: `logs` gives the entries of `log_entries` their place.
CREATE TABLE counters (
  name  TEXT COLLATE "C" PRIMARY KEY,
  value BIGINT NOT NULL
);

-- One sender's applications are nobody else's, whatever they call themselves.
CREATE TABLE clients (
  sender        TEXT COLLATE "C" NOT NULL,
  client_id     TEXT COLLATE "C" NOT NULL,
  client_name   TEXT COLLATE "C",
  status        TEXT COLLATE "C",
  memory_mb     DOUBLE PRECISION,
  cpu_percent   DOUBLE PRECISION,
  created_at_ms BIGINT NOT NULL,
  seen_at_ms    BIGINT NOT NULL,
  logs_sent     BIGINT NOT NULL,
  metrics_sent  BIGINT NOT NULL,
  reports_kept  BIGINT NOT NULL,
  PRIMARY KEY (sender, client_id)
);
CREATE INDEX clients_by_seen ON clients (seen_at_ms);
CREATE INDEX clients_by_reports ON clients (reports_kept);

-- `metadata` is a JSON object.
CREATE TABLE log_entries (
  seq         BIGINT PRIMARY KEY,
  sender      TEXT COLLATE "C" NOT NULL,
  client_id   TEXT COLLATE "C" NOT NULL,
  id          TEXT COLLATE "C" NOT NULL,
  client_name TEXT COLLATE "C",
  at_ms       BIGINT NOT NULL,
  level       TEXT COLLATE "C" NOT NULL,
  label       TEXT COLLATE "C",
  message     TEXT COLLATE "C" NOT NULL,
  file        TEXT COLLATE "C",
  function    TEXT COLLATE "C",
  line        BIGINT,
  metadata    TEXT COLLATE "C",
  UNIQUE (sender, client_id, id)
);
CREATE INDEX log_entries_by_level ON log_entries (level, seq);

CREATE TABLE instances (
  id            TEXT COLLATE "C" PRIMARY KEY,
  version       TEXT COLLATE "C" NOT NULL,
  api           TEXT COLLATE "C" NOT NULL,
  ingest        TEXT COLLATE "C" NOT NULL,
  started_at_ms BIGINT NOT NULL,
  seen_at_ms    BIGINT NOT NULL
);

-- A report's id is its client's: another client may use the same.
ALTER TABLE application_reports RENAME TO old_application_reports;
DROP INDEX application_reports_by_time;
DROP INDEX application_reports_by_client;
CREATE TABLE application_reports (
  seq                BIGINT PRIMARY KEY,
  sender             TEXT COLLATE "C" NOT NULL,
  client_id          TEXT COLLATE "C" NOT NULL,
  id                 TEXT COLLATE "C" NOT NULL,
  client_name        TEXT COLLATE "C",
  at_ms              BIGINT NOT NULL,
  memory_mb          DOUBLE PRECISION,
  cpu_percent        DOUBLE PRECISION,
  network_latency_ms DOUBLE PRECISION,
  custom_metrics     TEXT COLLATE "C" NOT NULL,
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
  seq      BIGINT PRIMARY KEY,
  device   TEXT COLLATE "C" NOT NULL,
  at_ms    BIGINT NOT NULL,
  online   BIGINT NOT NULL,
  instance TEXT COLLATE "C" NOT NULL
);
CREATE INDEX device_presence_by_device ON device_presence (device, seq);

-- Machines whose idleness is managed. `action` is what was asked of the machine last, as JSON;
-- `pending` says that it is still to be asked for its state.
CREATE TABLE idle_devices (
  device          TEXT COLLATE "C" PRIMARY KEY,
  enabled         BIGINT NOT NULL,
  mode            TEXT COLLATE "C" NOT NULL,
  timeout_minutes BIGINT,
  active_at_ms    BIGINT NOT NULL,
  awake_until_ms  BIGINT,
  forced_state    TEXT COLLATE "C",
  forced_at_ms    BIGINT,
  state           TEXT COLLATE "C" NOT NULL,
  since_ms        BIGINT NOT NULL,
  pending         BIGINT NOT NULL,
  action          TEXT COLLATE "C"
);

CREATE TABLE idle_turns (
  seq        BIGINT PRIMARY KEY,
  device     TEXT COLLATE "C" NOT NULL,
  at_ms      BIGINT NOT NULL,
  from_state TEXT COLLATE "C" NOT NULL,
  to_state   TEXT COLLATE "C" NOT NULL,
  mode       TEXT COLLATE "C" NOT NULL
);
CREATE INDEX idle_turns_by_device ON idle_turns (device, seq);

-- `definition` is JSON: the thresholds, and the machine's word for each state.
CREATE TABLE power_profiles (
  id            TEXT COLLATE "C" PRIMARY KEY,
  name          TEXT COLLATE "C" NOT NULL,
  definition    TEXT COLLATE "C" NOT NULL,
  created_at_ms BIGINT NOT NULL,
  created_by    TEXT COLLATE "C",
  updated_at_ms BIGINT NOT NULL,
  updated_by    TEXT COLLATE "C",
  deleted_at_ms BIGINT,
  version       BIGINT NOT NULL DEFAULT 1
);

INSERT INTO counters (name, value) VALUES ('presence', 0);
INSERT INTO counters (name, value) VALUES ('idle', 0);
