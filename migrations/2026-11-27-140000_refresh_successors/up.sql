-- The token that a refresh gave for this one. Shown again within the leeway, this one gets it again.
ALTER TABLE refresh_tokens
    ADD COLUMN successor_id uuid,
    ADD CONSTRAINT refresh_tokens_successor_fk FOREIGN KEY (organisation_id, successor_id)
        REFERENCES refresh_tokens (organisation_id, id) ON DELETE SET NULL (successor_id);
CREATE INDEX refresh_tokens_by_successor ON refresh_tokens (organisation_id, successor_id)
    WHERE successor_id IS NOT NULL;
