-- Organizations, their sites and places, what stands where, and roles over a part of it all.
-- Every record says who made it and who changed it last; `version` is its ETag, and one with
-- `deleted_at_ms` is gone for everybody but those who restore it. Times are Unix milliseconds.

CREATE TABLE organizations (
  id            TEXT PRIMARY KEY,
  slug          TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  description   TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE sites (
  id            TEXT PRIMARY KEY,
  organization  TEXT NOT NULL REFERENCES organizations (id),
  name          TEXT NOT NULL,
  description   TEXT NOT NULL,
  address       TEXT NOT NULL,
  timezone      TEXT NOT NULL,
  latitude      REAL,
  longitude     REAL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX sites_by_organization ON sites (organization, name);

-- A building, a room of a building, a rack of a room. Capacities are null where nobody said.
CREATE TABLE locations (
  id            TEXT PRIMARY KEY,
  site          TEXT NOT NULL REFERENCES sites (id),
  parent        TEXT REFERENCES locations (id),
  kind          TEXT NOT NULL CHECK (kind IN ('building', 'room', 'rack')),
  name          TEXT NOT NULL,
  units         INTEGER,
  watts         REAL,
  kilograms     REAL,
  cooling_watts REAL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX locations_by_site ON locations (site, parent, name);

-- Where a machine or a piece of equipment belongs and stands. Equipment without a row of its own
-- stands with its gateway.
CREATE TABLE placements (
  device        TEXT PRIMARY KEY,
  organization  TEXT REFERENCES organizations (id),
  site          TEXT REFERENCES sites (id),
  location      TEXT REFERENCES locations (id),
  unit          INTEGER,
  height_units  INTEGER,
  watts         REAL,
  kilograms     REAL,
  labels        TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  version       INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX placements_by_organization ON placements (organization);
CREATE INDEX placements_by_location ON placements (location, unit);

-- Devices by name, or by a selector over their labels.
CREATE TABLE device_groups (
  id            TEXT PRIMARY KEY,
  organization  TEXT NOT NULL REFERENCES organizations (id),
  name          TEXT NOT NULL,
  description   TEXT NOT NULL,
  selector      TEXT,
  devices       TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  created_by    TEXT,
  updated_at_ms INTEGER NOT NULL,
  updated_by    TEXT,
  deleted_at_ms INTEGER,
  version       INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX device_groups_by_organization ON device_groups (organization, name);

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
