-- Each row carries the hash of itself and of the row before it in its organization's chain; the
-- server's own chain is that of no organization. `audit_heads` holds each chain's end.

ALTER TABLE audit ADD COLUMN organization TEXT COLLATE "C";
ALTER TABLE audit ADD COLUMN session TEXT COLLATE "C";
ALTER TABLE audit ADD COLUMN address TEXT COLLATE "C";
ALTER TABLE audit ADD COLUMN change TEXT COLLATE "C";
ALTER TABLE audit ADD COLUMN position BIGINT;
ALTER TABLE audit ADD COLUMN hash BYTEA;
CREATE INDEX audit_by_chain ON audit (organization, position);

CREATE TABLE audit_heads (
  chain    TEXT COLLATE "C" PRIMARY KEY,
  position BIGINT NOT NULL,
  hash     BYTEA NOT NULL
);

-- Rows up to this one were there before the chain: the first start chains them and deletes this.
CREATE TABLE audit_backlog (
  last BIGINT NOT NULL
);
INSERT INTO audit_backlog (last) SELECT max(id) FROM audit HAVING max(id) IS NOT NULL;
