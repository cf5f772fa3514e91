-- The certificate before the last renewal, good until the new one is shown, and the machines that
-- were seen in two places at once.

ALTER TABLE devices ADD COLUMN certificate_previous_serial TEXT;
ALTER TABLE devices ADD COLUMN quarantined_at_ms BIGINT;
