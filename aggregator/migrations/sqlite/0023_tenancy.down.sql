ALTER TABLE enrolment_tokens DROP COLUMN site;
ALTER TABLE enrolment_tokens DROP COLUMN organization;
DROP TABLE tenancy;
DROP TABLE role_bindings;
DROP TABLE placements;
DROP TABLE entities;
