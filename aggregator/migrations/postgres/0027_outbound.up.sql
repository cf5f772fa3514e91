-- What leaves the house: webhooks and their deliveries, mail, who is told of what, reports and
-- backups. Secrets and the text of mail are sealed by a key of the state folder. Times are Unix
-- milliseconds.

CREATE TABLE webhooks (
  id                TEXT PRIMARY KEY,
  organization      TEXT,
  name              TEXT NOT NULL,
  url               TEXT NOT NULL,
  topics            TEXT NOT NULL,
  device            TEXT,
  owner             TEXT NOT NULL,
  secret            BYTEA NOT NULL,
  previous_secret   BYTEA,
  previous_until_ms BIGINT,
  enabled           BIGINT NOT NULL,
  failing_since_ms  BIGINT,
  disabled_why      TEXT,
  created_at_ms BIGINT NOT NULL,
  created_by    TEXT,
  updated_at_ms BIGINT NOT NULL,
  updated_by    TEXT,
  deleted_at_ms BIGINT,
  version       BIGINT NOT NULL DEFAULT 1
);

-- A message goes to a webhook once; sending it again is another attempt of the same row.
CREATE TABLE webhook_deliveries (
  id             TEXT PRIMARY KEY,
  webhook        TEXT NOT NULL REFERENCES webhooks (id),
  message        TEXT NOT NULL,
  topic          TEXT NOT NULL,
  body           TEXT NOT NULL,
  state          TEXT NOT NULL,
  attempts       BIGINT NOT NULL,
  due_at_ms      BIGINT NOT NULL,
  give_up_at_ms  BIGINT NOT NULL,
  holder         TEXT,
  lease_until_ms BIGINT,
  last_status    BIGINT,
  last_error     TEXT,
  created_at_ms  BIGINT NOT NULL,
  finished_at_ms BIGINT,
  UNIQUE (webhook, message)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (state, due_at_ms);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (webhook, created_at_ms, id);

CREATE TABLE mail (
  id             TEXT PRIMARY KEY,
  recipient      TEXT NOT NULL,
  subject        TEXT NOT NULL,
  text           BYTEA NOT NULL,
  state          TEXT NOT NULL,
  attempts       BIGINT NOT NULL,
  due_at_ms      BIGINT NOT NULL,
  give_up_at_ms  BIGINT NOT NULL,
  holder         TEXT,
  lease_until_ms BIGINT,
  last_error     TEXT,
  created_at_ms  BIGINT NOT NULL,
  finished_at_ms BIGINT
);
CREATE INDEX mail_due ON mail (state, due_at_ms);
CREATE INDEX mail_by_time ON mail (created_at_ms, id);

-- Who is told of which events, and how many this hour has brought.
CREATE TABLE notifications (
  id             TEXT PRIMARY KEY,
  organization   TEXT,
  email          TEXT NOT NULL,
  kinds          TEXT NOT NULL,
  severity       TEXT NOT NULL,
  device         TEXT,
  per_hour       BIGINT NOT NULL,
  window_from_ms BIGINT NOT NULL,
  window_told    BIGINT NOT NULL,
  window_held    BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  created_by    TEXT,
  updated_at_ms BIGINT NOT NULL,
  updated_by    TEXT,
  deleted_at_ms BIGINT,
  version       BIGINT NOT NULL DEFAULT 1
);

-- How far what is told outside has come in a table that only grows.
CREATE TABLE outbound_cursors (
  name  TEXT PRIMARY KEY,
  place BIGINT NOT NULL
);

CREATE TABLE reports (
  id           TEXT PRIMARY KEY,
  organization TEXT,
  question     TEXT NOT NULL,
  content      TEXT,
  job          TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  created_by    TEXT,
  updated_at_ms BIGINT NOT NULL,
  updated_by    TEXT,
  deleted_at_ms BIGINT,
  version       BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX reports_by_time ON reports (created_at_ms, id);

CREATE TABLE backups (
  id       TEXT PRIMARY KEY,
  job      TEXT NOT NULL,
  bytes    BIGINT,
  sha256   TEXT,
  manifest TEXT,
  created_at_ms BIGINT NOT NULL,
  created_by    TEXT,
  updated_at_ms BIGINT NOT NULL,
  updated_by    TEXT,
  deleted_at_ms BIGINT,
  version       BIGINT NOT NULL DEFAULT 1
);
