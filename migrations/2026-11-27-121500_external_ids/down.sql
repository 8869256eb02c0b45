ALTER TABLE contacts DROP COLUMN external_id;
ALTER TABLE products DROP COLUMN external_id;
