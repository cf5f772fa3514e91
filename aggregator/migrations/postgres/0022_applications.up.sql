-- What applications report of themselves. Times are Unix milliseconds.

-- `seq` is given under the write lock, one more than the greatest, so that numbers have no gaps and
-- the bound on the rows is a subtraction. `custom_metrics` is a JSON object of numbers.
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
CREATE INDEX application_reports_by_time ON application_reports (at_ms, seq);
CREATE INDEX application_reports_by_client ON application_reports (client_id, at_ms, seq);
