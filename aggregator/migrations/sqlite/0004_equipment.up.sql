-- Equipment that a machine manages on behalf of others, what the fleet asks of each machine's
-- limits, and who stands behind a command: for its confirmation by the same session.

CREATE TABLE equipment (
  key           INTEGER PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  gateway       INTEGER NOT NULL REFERENCES devices (key),
  name          TEXT NOT NULL,
  kind          TEXT NOT NULL,
  driver        TEXT NOT NULL,
  vendor        TEXT,
  model         TEXT,
  serial        TEXT,
  firmware      TEXT,
  address       TEXT NOT NULL,
  state         TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  -- Its gateway's file names it no longer; what it measured stays.
  removed_at_ms INTEGER,
  UNIQUE (gateway, name)
);

-- The fleet layer of a machine's limits, as it was asked for last. It is signed and sent anew
-- where a machine comes back without it.
CREATE TABLE fleet_limits (
  device        INTEGER PRIMARY KEY REFERENCES devices (key),
  limits        TEXT NOT NULL,
  version       INTEGER NOT NULL,
  updated_by    TEXT NOT NULL,
  updated_at_ms INTEGER NOT NULL
);

ALTER TABLE operations ADD COLUMN equipment TEXT;
ALTER TABLE operations ADD COLUMN session TEXT;
ALTER TABLE operations ADD COLUMN confirmed_by TEXT;
CREATE INDEX operations_by_equipment ON operations (equipment, created_at_ms)
  WHERE equipment IS NOT NULL;

CREATE INDEX events_by_subject ON events (device, subject, at_ms, id);
