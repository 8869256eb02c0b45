ALTER TABLE contacts DISABLE TRIGGER USER;
ALTER TABLE contacts
    ADD COLUMN old_email text,
    ADD COLUMN old_phone text,
    ADD COLUMN old_country text;
UPDATE contacts SET old_email = email, old_phone = phone, old_country = country;
ALTER TABLE contacts
    DROP COLUMN email,
    DROP COLUMN phone,
    DROP COLUMN city,
    DROP COLUMN country,
    DROP COLUMN emails,
    DROP COLUMN phones,
    DROP COLUMN addresses,
    DROP COLUMN birthday,
    DROP COLUMN tags,
    DROP COLUMN custom_fields;
ALTER TABLE contacts RENAME COLUMN old_email TO email;
ALTER TABLE contacts RENAME COLUMN old_phone TO phone;
ALTER TABLE contacts RENAME COLUMN old_country TO country;
ALTER TABLE contacts ENABLE TRIGGER USER;
