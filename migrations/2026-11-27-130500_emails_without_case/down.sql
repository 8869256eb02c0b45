ALTER TABLE contacts ALTER COLUMN email TYPE text COLLATE "und-x-icu";
DROP COLLATION email_address;
