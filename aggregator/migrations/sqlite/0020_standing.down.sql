ALTER TABLE devices DROP COLUMN quarantined_at_ms;
ALTER TABLE devices DROP COLUMN certificate_previous_serial;
