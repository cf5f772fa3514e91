DROP INDEX users_by_address;
ALTER TABLE operations DROP COLUMN armed_until_ms;
