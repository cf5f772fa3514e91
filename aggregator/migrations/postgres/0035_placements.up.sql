-- Curricula that machines keep for readers nearby. `target` is JSON.
CREATE TABLE curriculum_placements (
  curriculum   TEXT COLLATE "C" PRIMARY KEY,
  target       TEXT COLLATE "C" NOT NULL,
  placed_by    TEXT COLLATE "C" NOT NULL,
  placed_at_ms BIGINT NOT NULL
);
