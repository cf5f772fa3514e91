-- Curricula that machines keep for readers nearby. `target` is JSON.
CREATE TABLE curriculum_placements (
  curriculum   TEXT PRIMARY KEY,
  target       TEXT NOT NULL,
  placed_by    TEXT NOT NULL,
  placed_at_ms INTEGER NOT NULL
);
