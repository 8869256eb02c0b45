-- E-mail addresses are equal without regard to case.
CREATE COLLATION email_address (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
ALTER TABLE contacts ALTER COLUMN email TYPE text COLLATE email_address;
