COMMENT ON COLUMN accounts.email IS NULL;
COMMENT ON COLUMN users.name IS NULL;
COMMENT ON COLUMN users.first_name IS NULL;
COMMENT ON COLUMN users.last_name IS NULL;
COMMENT ON COLUMN users.email IS NULL;
COMMENT ON COLUMN mailed_tokens.email IS NULL;
COMMENT ON COLUMN mailed_tokens.first_name IS NULL;
COMMENT ON COLUMN mailed_tokens.last_name IS NULL;
COMMENT ON COLUMN contacts.name IS NULL;
COMMENT ON COLUMN contacts.notes IS NULL;
COMMENT ON COLUMN contacts.emails IS NULL;
COMMENT ON COLUMN contacts.phones IS NULL;
COMMENT ON COLUMN contacts.addresses IS NULL;
COMMENT ON COLUMN contacts.birthday IS NULL;
COMMENT ON COLUMN contacts.custom_fields IS NULL;
COMMENT ON COLUMN contacts.email IS NULL;
COMMENT ON COLUMN contacts.phone IS NULL;
COMMENT ON COLUMN contacts.city IS NULL;

CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON mailed_tokens
    FOR EACH ROW EXECUTE FUNCTION write_audit();

DROP FUNCTION protect_entity(regclass, text[], text[], text[]);
DROP FUNCTION mark_personal(regclass, text[]);
DROP FUNCTION track_changes(regclass, text[], text[]);
CREATE FUNCTION protect_entity(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM protect_tenant_table(name);
    EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION touch_row()', name);
    EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION write_audit()', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO tessera_app', name);
END
$$;

CREATE OR REPLACE FUNCTION write_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    touched record;
    tenant uuid;
    unsaid text[] := '{organisation_id,secret_hash}';
BEGIN
    IF TG_OP = 'DELETE' THEN touched := OLD; ELSE touched := NEW; END IF;
    IF TG_TABLE_NAME = 'organisations' THEN tenant := touched.id; ELSE tenant := touched.organisation_id; END IF;
    INSERT INTO public.audit_entries (organisation_id, user_id, request_id, entity, entity_id, action, before, after)
    VALUES (
        tenant, acting_user(), nullif(current_setting('app.request_id', true), ''),
        TG_TABLE_NAME, touched.id, TG_OP,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - unsaid END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - unsaid END
    );
    RETURN NULL;
END
$$;

DROP FUNCTION keep_audit_partitions();
DROP FUNCTION audit_retention();
DROP FUNCTION make_month_partition(name, date);
DROP FUNCTION protect_partition(regclass);

ALTER TABLE audit_entries RENAME TO audit_entries_by_month;
ALTER TABLE audit_entries_by_month RENAME CONSTRAINT audit_entries_pkey TO audit_entries_by_month_pkey;
ALTER INDEX audit_entries_of_entity RENAME TO audit_entries_by_month_of_entity;
CREATE TABLE audit_entries (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT service_now(),
    user_id uuid,
    request_id text,
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    action text NOT NULL CONSTRAINT audit_entries_action_check CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    before jsonb,
    after jsonb,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (organisation_id, id)
);
INSERT INTO audit_entries (organisation_id, id, created_at, user_id, request_id, entity, entity_id, action, before, after)
SELECT organisation_id, id, created_at, user_id, request_id, entity, entity_id, action, before, after FROM audit_entries_by_month;
DROP TABLE audit_entries_by_month;
CREATE INDEX audit_entries_newest ON audit_entries (organisation_id, created_at, id);
CREATE INDEX audit_entries_of_entity ON audit_entries (organisation_id, entity_id, created_at);
SELECT protect_tenant_table('audit_entries');
GRANT SELECT ON audit_entries TO tessera_app;
