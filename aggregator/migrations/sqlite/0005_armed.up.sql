-- Until when an armed command waits, beside the verdict that says so; addresses are found
-- whatever the case of their letters.

ALTER TABLE operations ADD COLUMN armed_until_ms INTEGER;
UPDATE operations SET armed_until_ms = json_extract(verdict, '$.Armed.until_ms')
  WHERE state = 'armed';
CREATE UNIQUE INDEX users_by_address ON users (lower(email));
