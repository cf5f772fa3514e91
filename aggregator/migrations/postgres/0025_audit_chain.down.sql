DROP TABLE audit_backlog;
DROP TABLE audit_heads;
DROP INDEX audit_by_chain;
ALTER TABLE audit DROP COLUMN hash;
ALTER TABLE audit DROP COLUMN position;
ALTER TABLE audit DROP COLUMN change;
ALTER TABLE audit DROP COLUMN address;
ALTER TABLE audit DROP COLUMN session;
ALTER TABLE audit DROP COLUMN organization;
