-- Until when an armed command waits, beside the verdict that says so; addresses are found
-- whatever the case of their letters.

ALTER TABLE operations ADD COLUMN armed_until_ms BIGINT;
UPDATE operations SET armed_until_ms = (verdict::json #>> '{Armed,until_ms}')::BIGINT
  WHERE state = 'armed';
CREATE UNIQUE INDEX users_by_address ON users (lower(email));
