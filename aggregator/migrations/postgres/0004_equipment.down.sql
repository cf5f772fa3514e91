DROP INDEX events_by_subject;
DROP INDEX operations_by_equipment;
ALTER TABLE operations DROP COLUMN confirmed_by;
ALTER TABLE operations DROP COLUMN session;
ALTER TABLE operations DROP COLUMN equipment;
DROP TABLE fleet_limits;
DROP TABLE equipment;
