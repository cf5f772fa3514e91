-- What outlives the blocks: segments in the object store.

-- One row an object that is to be read. `tier`: 0 samples, 1 minutes, 2 hours. From and to are
-- the span that was gathered, first and last the ticks that are there.
CREATE TABLE segments (
  id            INTEGER PRIMARY KEY,
  device        INTEGER NOT NULL REFERENCES devices (key),
  from_ms       INTEGER NOT NULL,
  to_ms         INTEGER NOT NULL,
  first_ms      INTEGER NOT NULL,
  last_ms       INTEGER NOT NULL,
  tier          INTEGER NOT NULL,
  samples       INTEGER NOT NULL,
  object        TEXT NOT NULL UNIQUE,
  bytes         INTEGER NOT NULL,
  minutes_at    INTEGER NOT NULL,
  hours_at      INTEGER NOT NULL,
  index_at      INTEGER NOT NULL,
  checksum      INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
);
CREATE INDEX segments_by_time ON segments (device, first_ms, last_ms);
CREATE INDEX segments_by_age ON segments (tier, last_ms);

-- Objects that no row reads (any more): noted before they are written, and when they are
-- replaced. What stands here past its time is removed from the object store.
CREATE TABLE dead_objects (
  object          TEXT PRIMARY KEY,
  remove_after_ms INTEGER NOT NULL
);
CREATE INDEX dead_objects_by_time ON dead_objects (remove_after_ms);

-- Blocks that a compaction could not read: they stay as they came.
CREATE TABLE unreadable_blocks (
  block INTEGER PRIMARY KEY,
  why   TEXT NOT NULL
);

-- Who compacts a device at the moment, among several replicas.
CREATE TABLE compaction_leases (
  device   INTEGER PRIMARY KEY REFERENCES devices (key),
  holder   TEXT NOT NULL,
  until_ms INTEGER NOT NULL
);

-- A block's number is never given twice, also where all blocks have become segments: exports and
-- bookmarks count by it. And when it came: streams that were cut off go on from the blocks, so none
-- becomes a segment before that time is over.
CREATE TABLE blocks_numbered (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  device        INTEGER NOT NULL REFERENCES devices (key),
  epoch         INTEGER NOT NULL REFERENCES epochs (key),
  seq           INTEGER NOT NULL,
  from_ms       INTEGER NOT NULL,
  to_ms         INTEGER NOT NULL,
  arrived_at_ms INTEGER NOT NULL,
  data          BLOB NOT NULL
);
INSERT INTO blocks_numbered SELECT id, device, epoch, seq, from_ms, to_ms, 0, data FROM blocks;
DROP TABLE blocks;
ALTER TABLE blocks_numbered RENAME TO blocks;
CREATE INDEX blocks_by_time ON blocks (device, from_ms, to_ms);
