DROP TABLE power_profiles;
DROP TABLE idle_turns;
DROP TABLE idle_devices;
DROP TABLE device_presence;
ALTER TABLE application_reports RENAME TO new_application_reports;
DROP INDEX application_reports_by_time;
DROP INDEX application_reports_by_client;
DROP INDEX application_reports_by_age;
CREATE TABLE application_reports (
  seq                BIGINT PRIMARY KEY,
  id                 TEXT COLLATE "C" NOT NULL UNIQUE,
  client_id          TEXT COLLATE "C" NOT NULL,
  client_name        TEXT COLLATE "C",
  at_ms              BIGINT NOT NULL,
  memory_mb          DOUBLE PRECISION,
  cpu_percent        DOUBLE PRECISION,
  network_latency_ms DOUBLE PRECISION,
  custom_metrics     TEXT COLLATE "C" NOT NULL
);
-- Of an id that several clients used, the first report stays.
INSERT INTO application_reports
  SELECT seq, id, client_id, client_name, at_ms, memory_mb, cpu_percent, network_latency_ms,
    custom_metrics FROM new_application_reports
  WHERE seq IN (SELECT min(seq) FROM new_application_reports GROUP BY id);
DROP TABLE new_application_reports;
CREATE INDEX application_reports_by_time ON application_reports (at_ms, seq);
CREATE INDEX application_reports_by_client ON application_reports (client_id, at_ms, seq);
DROP TABLE instances;
DROP TABLE log_entries;
DROP TABLE clients;
DROP TABLE counters;
