-- What applications report of themselves. Times are Unix milliseconds.

-- `seq` is given under the write lock, one more than the greatest, so that numbers have no gaps and
-- the bound on the rows is a subtraction. `custom_metrics` is a JSON object of numbers.
CREATE TABLE application_reports (
  seq                INTEGER PRIMARY KEY,
  id                 TEXT NOT NULL UNIQUE,
  client_id          TEXT NOT NULL,
  client_name        TEXT,
  at_ms              INTEGER NOT NULL,
  memory_mb          REAL,
  cpu_percent        REAL,
  network_latency_ms REAL,
  custom_metrics     TEXT NOT NULL
);
CREATE INDEX application_reports_by_time ON application_reports (at_ms, seq);
CREATE INDEX application_reports_by_client ON application_reports (client_id, at_ms, seq);
