-- Contacts: the companies and persons an organisation deals with (CRM-4).
CREATE TABLE contacts (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    kind text NOT NULL,
    company_id uuid,
    name text COLLATE "und-x-icu" NOT NULL,
    email text,
    phone text,
    country text,
    notes text,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    updated_at timestamptz NOT NULL DEFAULT service_now(),
    created_by uuid DEFAULT acting_user(),
    revision integer NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    CONSTRAINT contacts_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT contacts_company_fk FOREIGN KEY (organisation_id, company_id) REFERENCES contacts (organisation_id, id),
    CONSTRAINT contacts_created_by_fk FOREIGN KEY (organisation_id, created_by) REFERENCES users (organisation_id, id),
    CONSTRAINT contacts_kind_check CHECK (kind IN ('COMPANY', 'PERSON')),
    CONSTRAINT contacts_company_check CHECK (company_id IS NULL OR kind = 'PERSON')
);
SELECT protect_entity('contacts');
CREATE INDEX contacts_newest ON contacts (organisation_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_name ON contacts (organisation_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_of_company ON contacts (organisation_id, company_id, created_at, id) WHERE deleted_at IS NULL;
