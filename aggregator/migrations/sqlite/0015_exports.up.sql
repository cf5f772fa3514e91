-- How far each export has sent what was committed: everything up to this block.

CREATE TABLE exports (
  name          TEXT PRIMARY KEY,
  block         INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
);
