DROP INDEX dead_letters_waiting;
DROP INDEX dead_letters_newest;
ALTER TABLE dead_letters DROP CONSTRAINT dead_letters_state_check;
ALTER TABLE dead_letters ADD COLUMN replayed_at timestamptz;
UPDATE dead_letters SET replayed_at = settled_at WHERE state = 'REPLAYED';
ALTER TABLE dead_letters RENAME COLUMN settled_at TO deleted_at;
ALTER TABLE dead_letters DROP COLUMN state;
CREATE INDEX dead_letters_newest ON dead_letters (organisation_id, created_at, id) WHERE deleted_at IS NULL;

DROP INDEX webhook_deliveries_newest;
DROP INDEX webhook_deliveries_of_endpoint;
ALTER TABLE webhook_deliveries ADD COLUMN deleted_at timestamptz;
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (organisation_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (organisation_id, endpoint_id, created_at, id) WHERE deleted_at IS NULL;
