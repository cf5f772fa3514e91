-- Accounts, their sessions, and the audit trail. Times are Unix milliseconds.

CREATE TABLE users (
  id               TEXT PRIMARY KEY,
  email            TEXT NOT NULL UNIQUE COLLATE NOCASE,
  email_verified   INTEGER NOT NULL,
  display_name     TEXT NOT NULL,
  avatar_url       TEXT,
  locale           TEXT NOT NULL,
  timezone         TEXT NOT NULL,
  role             TEXT NOT NULL,
  active           INTEGER NOT NULL DEFAULT 1,
  password_hash    TEXT NOT NULL,
  failures         INTEGER NOT NULL DEFAULT 0,
  locked_until_ms  INTEGER,
  created_at_ms    INTEGER NOT NULL,
  updated_at_ms    INTEGER NOT NULL,
  last_login_at_ms INTEGER
);

-- A browser or app of a user.
CREATE TABLE auth_devices (
  id              TEXT PRIMARY KEY,
  user            TEXT NOT NULL REFERENCES users (id),
  fingerprint     TEXT NOT NULL,
  name            TEXT,
  kind            TEXT,
  model           TEXT,
  os_version      TEXT,
  app_version     TEXT,
  is_trusted      INTEGER NOT NULL DEFAULT 0,
  created_at_ms   INTEGER NOT NULL,
  last_seen_at_ms INTEGER NOT NULL,
  UNIQUE (user, fingerprint)
);

-- One sign-in: a family of refresh tokens.
CREATE TABLE sessions (
  id                  TEXT PRIMARY KEY,
  user                TEXT NOT NULL REFERENCES users (id),
  auth_device         TEXT NOT NULL REFERENCES auth_devices (id),
  address             TEXT,
  user_agent          TEXT,
  created_at_ms       INTEGER NOT NULL,
  last_activity_at_ms INTEGER NOT NULL,
  revoked_at_ms       INTEGER,
  revoked_because     TEXT
);
CREATE INDEX sessions_by_user ON sessions (user, created_at_ms);

-- The token's text is nowhere; each is good for one use.
CREATE TABLE refresh_tokens (
  hash          BLOB PRIMARY KEY,
  session       TEXT NOT NULL REFERENCES sessions (id),
  issued_at_ms  INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms    INTEGER
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session);

-- Answers kept for a repeated Idempotency-Key. `key_hash` covers user, route and key; the body
-- is sealed with a key that only the client's own Idempotency-Key gives.
CREATE TABLE idempotency (
  key_hash      BLOB PRIMARY KEY,
  body_hash     BLOB NOT NULL,
  started_at_ms INTEGER NOT NULL,
  status        INTEGER,
  headers       TEXT,
  body          BLOB
) WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (started_at_ms);

CREATE TABLE audit (
  id         INTEGER PRIMARY KEY,
  at_ms      INTEGER NOT NULL,
  actor      TEXT NOT NULL,
  action     TEXT NOT NULL,
  target     TEXT NOT NULL,
  decision   TEXT NOT NULL,
  details    TEXT NOT NULL,
  request_id TEXT
);
CREATE INDEX audit_by_time ON audit (at_ms, id);
