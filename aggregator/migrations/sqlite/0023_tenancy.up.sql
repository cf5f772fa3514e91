-- Organizations, their sites and places, what stands where, and roles over a part of it all.
-- Every record says who made it and who changed it last; `version` is its ETag, and one with
-- `deleted_at_ms` is gone for everybody but those who restore it. Times are Unix milliseconds.

-- Organizations, sites, locations and groups: what they have in common has columns, the rest of
-- each kind is `body`. A site's and a group's `parent` is their organization, a location's is a
-- site or another location. A name is given once under one parent.
CREATE TABLE entities (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL CHECK (kind IN ('organization', 'site', 'location', 'group')),
  organization  TEXT NOT NULL,
  parent        TEXT REFERENCES entities (id),
  name          TEXT NOT NULL,
  body          TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX entities_by_kind ON entities (kind, organization, name);
CREATE UNIQUE INDEX entities_by_name ON entities (kind, coalesce(parent, ''), name)
  WHERE deleted_at_ms IS NULL;

-- Where a machine or a piece of equipment belongs and stands. Equipment without a row of its own
-- stands with its gateway.
CREATE TABLE placements (
  device        TEXT PRIMARY KEY,
  organization  TEXT,
  site          TEXT,
  location      TEXT,
  body          TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX placements_by_location ON placements (location);
CREATE INDEX placements_by_organization ON placements (organization);

-- A role over one scope; a membership is a role over an organization.
CREATE TABLE role_bindings (
  id            TEXT PRIMARY KEY,
  "user"        TEXT NOT NULL REFERENCES users (id),
  role          TEXT NOT NULL,
  scope_kind    TEXT NOT NULL,
  scope         TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1,
  UNIQUE ("user", scope_kind, scope)
);
CREATE INDEX role_bindings_by_scope ON role_bindings (scope_kind, scope);

-- Counts every change of the tables above, so that what is kept in memory knows its age.
CREATE TABLE tenancy (
  generation INTEGER NOT NULL
);
INSERT INTO tenancy (generation) VALUES (1);

-- Where a machine belongs that enrols by a token.
ALTER TABLE enrolment_tokens ADD COLUMN organization TEXT;
ALTER TABLE enrolment_tokens ADD COLUMN site TEXT;
