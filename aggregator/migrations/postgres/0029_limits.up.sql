-- Rate limits that replicas share, and whose the keys of repeated requests are.

CREATE TABLE rates (
  key            TEXT COLLATE "C" PRIMARY KEY,
  tokens         DOUBLE PRECISION NOT NULL,
  refilled_at_ms BIGINT NOT NULL,
  window_from_ms BIGINT NOT NULL,
  used           BIGINT NOT NULL,
  idle_at_ms     BIGINT NOT NULL
);
CREATE INDEX rates_by_idle ON rates (idle_at_ms);

ALTER TABLE idempotency ADD COLUMN owner TEXT COLLATE "C";
CREATE INDEX idempotency_by_owner ON idempotency (owner, started_at_ms);
