DROP INDEX contacts_newest;
DROP INDEX contacts_by_country;
CREATE INDEX contacts_newest ON contacts (organisation_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_country ON contacts (organisation_id, country, id) WHERE deleted_at IS NULL;
