-- Who somebody is at a provider outside, and whose account that is here. Times are Unix
-- milliseconds; no secret lies here in plain text.

CREATE TABLE identities (
  id              TEXT PRIMARY KEY,
  "user"          TEXT NOT NULL REFERENCES users (id),
  provider        TEXT NOT NULL,
  issuer          TEXT NOT NULL,
  subject         TEXT NOT NULL,
  email           TEXT,
  created_at_ms   INTEGER NOT NULL,
  last_used_at_ms INTEGER,
  UNIQUE (issuer, subject)
);
CREATE INDEX identities_by_user ON identities ("user", created_at_ms);

-- What a provider's claims have given an account, so that it can be taken back: a role over an
-- organization, or the account's own role, whose scope is empty.
CREATE TABLE identity_roles (
  "user"     TEXT NOT NULL REFERENCES users (id),
  provider   TEXT NOT NULL,
  scope_kind TEXT NOT NULL,
  scope      TEXT NOT NULL,
  role       TEXT NOT NULL,
  PRIMARY KEY ("user", provider, scope_kind, scope)
);

-- Browsers that were sent to a provider and have not come back. With `"user"` an identity is
-- linked with that account, while that session stands; without it somebody signs in.
CREATE TABLE oidc_flows (
  state_hash    BLOB PRIMARY KEY,
  browser_hash  BLOB NOT NULL,
  provider      TEXT NOT NULL,
  return_to     TEXT NOT NULL,
  "user"        TEXT REFERENCES users (id),
  session       TEXT REFERENCES sessions (id),
  expires_at_ms INTEGER NOT NULL
);
CREATE INDEX oidc_flows_by_time ON oidc_flows (expires_at_ms);

-- Sign-ins that came back, until the browser exchanges its code for tokens.
CREATE TABLE oidc_codes (
  hash          BLOB PRIMARY KEY,
  browser_hash  BLOB NOT NULL,
  provider      TEXT NOT NULL,
  "user"        TEXT NOT NULL REFERENCES users (id),
  second_factor INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
);
CREATE INDEX oidc_codes_by_time ON oidc_codes (expires_at_ms);
