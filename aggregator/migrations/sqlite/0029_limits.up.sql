-- Rate limits that replicas share, and whose the keys of repeated requests are.

CREATE TABLE rates (
  key            TEXT PRIMARY KEY,
  tokens         REAL NOT NULL,
  refilled_at_ms INTEGER NOT NULL,
  window_from_ms INTEGER NOT NULL,
  used           INTEGER NOT NULL,
  idle_at_ms     INTEGER NOT NULL
);
CREATE INDEX rates_by_idle ON rates (idle_at_ms);

ALTER TABLE idempotency ADD COLUMN owner TEXT;
CREATE INDEX idempotency_by_owner ON idempotency (owner, started_at_ms);
