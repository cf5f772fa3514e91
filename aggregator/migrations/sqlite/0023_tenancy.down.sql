ALTER TABLE enrolment_tokens DROP COLUMN site;
ALTER TABLE enrolment_tokens DROP COLUMN organization;
DROP TABLE tenancy;
DROP TABLE role_bindings;
DROP TABLE device_groups;
DROP TABLE placements;
DROP TABLE locations;
DROP TABLE sites;
DROP TABLE organizations;
