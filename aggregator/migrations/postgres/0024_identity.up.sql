-- Accounts as records, how they prove themselves, and what opens them. Times are Unix
-- milliseconds; no secret lies here in plain text.

ALTER TABLE users ADD COLUMN created_by TEXT;
ALTER TABLE users ADD COLUMN updated_by TEXT;
ALTER TABLE users ADD COLUMN deleted_at_ms BIGINT;
ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE users DROP COLUMN failures;
ALTER TABLE users DROP COLUMN locked_until_ms;

-- The second factor: a sealed secret, since when it counts, and the last step that was used.
ALTER TABLE users ADD COLUMN totp_secret BYTEA;
ALTER TABLE users ADD COLUMN totp_since_ms BIGINT;
ALTER TABLE users ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;

ALTER TABLE auth_devices ADD COLUMN removed_at_ms BIGINT;

-- Wrong sign-ins by address, whether it has an account or not.
CREATE TABLE sign_in_failures (
  email_hash      BYTEA PRIMARY KEY,
  failures        BIGINT NOT NULL,
  locks           BIGINT NOT NULL,
  locked_until_ms BIGINT,
  updated_at_ms   BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (updated_at_ms);

CREATE TABLE recovery_codes (
  "user"     TEXT NOT NULL REFERENCES users (id),
  hash       BYTEA NOT NULL,
  used_at_ms BIGINT,
  PRIMARY KEY ("user", hash)
);

-- A sign-in whose password was right and whose second factor is still asked for.
CREATE TABLE mfa_challenges (
  hash          BYTEA PRIMARY KEY,
  "user"        TEXT NOT NULL REFERENCES users (id),
  device        TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL
);
CREATE INDEX mfa_challenges_by_time ON mfa_challenges (expires_at_ms);

CREATE TABLE invitations (
  id             TEXT PRIMARY KEY,
  secret_hash    BYTEA NOT NULL UNIQUE,
  email          TEXT,
  role           TEXT NOT NULL,
  scope_kind     TEXT,
  scope          TEXT,
  created_at_ms  BIGINT NOT NULL,
  created_by     TEXT NOT NULL REFERENCES users (id),
  expires_at_ms  BIGINT NOT NULL,
  accepted_at_ms BIGINT,
  accepted_by    TEXT,
  revoked_at_ms  BIGINT
);
CREATE INDEX invitations_by_creator ON invitations (created_by, created_at_ms);

-- `scope` is the most that the key may; its owner's own rights bound it besides.
CREATE TABLE api_keys (
  id              TEXT PRIMARY KEY,
  "user"          TEXT NOT NULL REFERENCES users (id),
  name            TEXT NOT NULL,
  hash            BYTEA NOT NULL UNIQUE,
  start           TEXT NOT NULL,
  scope           TEXT NOT NULL,
  created_at_ms   BIGINT NOT NULL,
  expires_at_ms   BIGINT,
  last_used_at_ms BIGINT,
  revoked_at_ms   BIGINT
);
CREATE INDEX api_keys_by_user ON api_keys ("user", created_at_ms);

-- What was sent by mail to prove an address or to set a password anew. Good for one use.
CREATE TABLE letter_tokens (
  hash          BYTEA PRIMARY KEY,
  "user"        TEXT NOT NULL REFERENCES users (id),
  purpose       TEXT NOT NULL,
  email         TEXT NOT NULL,
  expires_at_ms BIGINT NOT NULL
);
CREATE INDEX letter_tokens_by_user ON letter_tokens ("user", purpose);
