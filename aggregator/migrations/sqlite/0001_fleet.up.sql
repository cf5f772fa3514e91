-- Machines, what they measure, what was committed of it, and what was asked of them.
-- Times are Unix milliseconds. `key` columns are this database's own small numbers;
-- `id` columns are the ids that leave it.

CREATE TABLE devices (
  key               INTEGER PRIMARY KEY,
  id                TEXT NOT NULL UNIQUE,
  name              TEXT NOT NULL,
  kind              TEXT NOT NULL CHECK (kind IN ('real', 'simulated')),
  machine           TEXT NOT NULL,
  guard_attached    INTEGER NOT NULL DEFAULT 0,
  certificate_serial       TEXT NOT NULL,
  certificate_not_after_ms INTEGER NOT NULL,
  command_counter   INTEGER NOT NULL DEFAULT 0,
  enrolled_at_ms    INTEGER NOT NULL,
  last_seen_at_ms   INTEGER,
  created_at_ms     INTEGER NOT NULL,
  updated_at_ms     INTEGER NOT NULL,
  revoked_at_ms     INTEGER,
  deleted_at_ms     INTEGER
);

-- A series outlives epochs: the same metric with the same attributes is the same series.
CREATE TABLE series (
  id            INTEGER PRIMARY KEY,
  device        INTEGER NOT NULL REFERENCES devices (key),
  metric        TEXT NOT NULL,
  kind          TEXT NOT NULL,
  unit          TEXT NOT NULL,
  attributes    TEXT NOT NULL,
  cadence_ms    INTEGER NOT NULL,
  reader        TEXT NOT NULL CHECK (reader IN ('guard', 'agent')),
  created_at_ms INTEGER NOT NULL,
  UNIQUE (device, metric, unit, attributes, reader)
);

-- What is committed of each spool; it outlives the entries themselves.
CREATE TABLE epochs (
  key           INTEGER PRIMARY KEY,
  device        INTEGER NOT NULL REFERENCES devices (key),
  epoch         INTEGER NOT NULL,
  ranges        BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (device, epoch)
);

-- The dictionary of an epoch: what its series numbers mean.
CREATE TABLE epoch_series (
  epoch  INTEGER NOT NULL REFERENCES epochs (key),
  number INTEGER NOT NULL,
  series INTEGER NOT NULL REFERENCES series (id),
  PRIMARY KEY (epoch, number)
) WITHOUT ROWID;

-- One row an entry: the same (epoch, seq) with another body is an error.
CREATE TABLE entries (
  epoch    INTEGER NOT NULL REFERENCES epochs (key),
  seq      INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (epoch, seq)
) WITHOUT ROWID;

-- Entries that were acknowledged and not taken in: their bytes as they came (null where the
-- device has too many of them), and why.
CREATE TABLE quarantine (
  id            INTEGER PRIMARY KEY,
  device        INTEGER NOT NULL REFERENCES devices (key),
  epoch         INTEGER NOT NULL REFERENCES epochs (key),
  seq           INTEGER NOT NULL,
  checksum      INTEGER NOT NULL,
  reason        TEXT NOT NULL,
  bytes         INTEGER NOT NULL,
  body          BLOB,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (epoch, seq, checksum)
);
CREATE INDEX quarantine_by_device ON quarantine (device, created_at_ms);

CREATE TABLE blocks (
  id      INTEGER PRIMARY KEY,
  device  INTEGER NOT NULL REFERENCES devices (key),
  epoch   INTEGER NOT NULL REFERENCES epochs (key),
  seq     INTEGER NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms   INTEGER NOT NULL,
  data    BLOB NOT NULL
);
CREATE INDEX blocks_by_time ON blocks (device, from_ms, to_ms);

CREATE TABLE events (
  id        INTEGER PRIMARY KEY,
  device    INTEGER NOT NULL REFERENCES devices (key),
  at_ms     INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  severity  INTEGER NOT NULL,
  subject   TEXT NOT NULL,
  message   TEXT NOT NULL,
  reading   REAL,
  threshold REAL,
  unit      TEXT
);
CREATE INDEX events_by_time ON events (at_ms, id);
CREATE INDEX events_by_device ON events (device, at_ms, id);

-- Spans without samples. `series` is null where every series of `reader` is meant.
CREATE TABLE gaps (
  id      INTEGER PRIMARY KEY,
  device  INTEGER NOT NULL REFERENCES devices (key),
  from_ms INTEGER NOT NULL,
  to_ms   INTEGER NOT NULL,
  reader  TEXT,
  series  INTEGER REFERENCES series (id),
  reason  INTEGER NOT NULL,
  note    TEXT NOT NULL
);
CREATE INDEX gaps_by_time ON gaps (device, from_ms);

-- The row is the outbox: what is `queued` waits to be sent.
CREATE TABLE operations (
  id             TEXT PRIMARY KEY,
  device         INTEGER NOT NULL REFERENCES devices (key),
  kind           TEXT NOT NULL,
  action         TEXT NOT NULL,
  state          TEXT NOT NULL,
  counter        INTEGER NOT NULL,
  command        BLOB NOT NULL,
  verdict        TEXT,
  outcome        TEXT,
  requested_by   TEXT NOT NULL,
  request_id     TEXT,
  created_at_ms  INTEGER NOT NULL,
  started_at_ms  INTEGER,
  finished_at_ms INTEGER,
  not_after_ms   INTEGER NOT NULL
);
CREATE INDEX operations_by_time ON operations (created_at_ms, id);
CREATE INDEX operations_open ON operations (device, counter) WHERE finished_at_ms IS NULL;

CREATE TABLE enrolment_tokens (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  secret_hash   BLOB NOT NULL UNIQUE,
  created_by    TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms    INTEGER,
  used_by       INTEGER REFERENCES devices (key),
  revoked_at_ms INTEGER
);

-- Key material by purpose and key id; what is retired still verifies until it is removed.
CREATE TABLE signing_keys (
  kid           TEXT PRIMARY KEY,
  purpose       TEXT NOT NULL,
  secret        BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  retired_at_ms INTEGER
);

CREATE TABLE settings (
  name          TEXT PRIMARY KEY,
  value         TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL
);
