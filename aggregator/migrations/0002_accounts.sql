-- Accounts and the audit trail.

CREATE TABLE audit (
  id         INTEGER PRIMARY KEY,
  at_ms      INTEGER NOT NULL,
  actor      TEXT NOT NULL,
  action     TEXT NOT NULL,
  target     TEXT NOT NULL,
  decision   TEXT NOT NULL,
  details    TEXT NOT NULL,
  request_id TEXT
);
