-- Contacts in full: several e-mails, phones and addresses of which the first is the primary one,
-- tags, a birthday, and fields of the organisation's own.
--
-- They live and die with their contact and are given as a whole, so they stand in its row: one
-- revision, one audit entry, no second statement. What lists filter, order and group by of the
-- primary ones are generated columns.
ALTER TABLE contacts DISABLE TRIGGER USER;

ALTER TABLE contacts
    ADD COLUMN emails jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN phones jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN addresses jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN birthday date,
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN custom_fields jsonb NOT NULL DEFAULT '{}';

UPDATE contacts SET
    emails = CASE WHEN email IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object('address', email)) END,
    phones = CASE WHEN phone IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object('number', phone)) END,
    addresses = CASE WHEN country IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object('country', country)) END;

ALTER TABLE contacts
    DROP COLUMN email,
    DROP COLUMN phone,
    DROP COLUMN country;

ALTER TABLE contacts
    ADD COLUMN email text COLLATE "und-x-icu" GENERATED ALWAYS AS (emails -> 0 ->> 'address') STORED,
    ADD COLUMN phone text COLLATE "und-x-icu" GENERATED ALWAYS AS (phones -> 0 ->> 'number') STORED,
    ADD COLUMN city text COLLATE "und-x-icu" GENERATED ALWAYS AS (addresses -> 0 ->> 'city') STORED,
    ADD COLUMN country text COLLATE "und-x-icu" GENERATED ALWAYS AS (addresses -> 0 ->> 'country') STORED;

ALTER TABLE contacts ENABLE TRIGGER USER;

CREATE INDEX contacts_by_country ON contacts (organisation_id, country, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_email ON contacts (organisation_id, email, id) WHERE deleted_at IS NULL;
