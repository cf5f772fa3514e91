DROP TABLE audit;
DROP TABLE idempotency;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE auth_devices;
DROP TABLE users;
