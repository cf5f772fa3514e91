ALTER TABLE devices DROP COLUMN version;
