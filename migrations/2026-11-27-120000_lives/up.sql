-- Deliveries are kept, then purged: nothing deletes them softly. Dropping the column drops the indexes
-- whose conditions name it.
ALTER TABLE webhook_deliveries DROP COLUMN deleted_at;
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (organisation_id, created_at, id);
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (organisation_id, endpoint_id, created_at, id);

-- Dead letters are kept as well; their state says what became of them.
ALTER TABLE dead_letters ADD COLUMN state text NOT NULL DEFAULT 'WAITING';
UPDATE dead_letters SET state = CASE WHEN replayed_at IS NULL THEN 'DISMISSED' ELSE 'REPLAYED' END
WHERE deleted_at IS NOT NULL;
ALTER TABLE dead_letters RENAME COLUMN deleted_at TO settled_at;
ALTER TABLE dead_letters DROP COLUMN replayed_at;
ALTER TABLE dead_letters ADD CONSTRAINT dead_letters_state_check
    CHECK (state IN ('WAITING', 'REPLAYED', 'DISMISSED') AND (state = 'WAITING') = (settled_at IS NULL));
DROP INDEX dead_letters_newest;
CREATE INDEX dead_letters_newest ON dead_letters (organisation_id, created_at, id);
CREATE INDEX dead_letters_waiting ON dead_letters (organisation_id, created_at, id) WHERE state = 'WAITING';
