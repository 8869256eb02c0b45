-- What a row is called in the system that it comes from. Unique also among deleted rows: an import
-- that is repeated must find what was deleted here, and not make it anew.
ALTER TABLE contacts ADD COLUMN external_id text COLLATE "und-x-icu";
CREATE UNIQUE INDEX contacts_external_id_key ON contacts (organisation_id, external_id) WHERE external_id IS NOT NULL;
ALTER TABLE products ADD COLUMN external_id text COLLATE "und-x-icu";
CREATE UNIQUE INDEX products_external_id_key ON products (organisation_id, external_id) WHERE external_id IS NOT NULL;
