-- How far each export has sent what was committed: everything up to this block.

CREATE TABLE exports (
  name          TEXT PRIMARY KEY,
  block         BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL
);
