-- The contacts of who added them: whoever sees only these finds them without reading all others.
CREATE INDEX contacts_by_creator ON contacts (organisation_id, created_by, created_at, id) WHERE deleted_at IS NULL;
