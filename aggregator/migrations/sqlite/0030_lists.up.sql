-- Counts the changes of what people say of a machine; with that of its placement, its ETag.
ALTER TABLE devices ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
