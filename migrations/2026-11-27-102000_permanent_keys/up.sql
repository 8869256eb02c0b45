-- Idempotency keys that are kept for ever: where a repetition must never be carried out again, as
-- with money.
ALTER TABLE idempotency_keys ADD COLUMN permanent boolean NOT NULL DEFAULT false;
-- The daily purge passes over those.
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (organisation_id, created_at) WHERE NOT permanent;
