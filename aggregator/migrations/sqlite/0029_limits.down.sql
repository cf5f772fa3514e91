DROP INDEX idempotency_by_owner;
ALTER TABLE idempotency DROP COLUMN owner;
DROP TABLE rates;
