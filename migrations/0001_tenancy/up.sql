-- Tenancy: what every later migration builds on.
--
-- Runs as a plain owner. The two groups below are made once per cluster by `gateway provision`,
-- because roles belong to the cluster and not to this database.
DO $$
BEGIN
    IF (SELECT count(*) FROM pg_roles WHERE rolname IN ('tessera_app', 'tessera_system')) < 2 THEN
        RAISE EXCEPTION 'the roles tessera_app and tessera_system are missing: run "gateway provision" first';
    END IF;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tessera_app, tessera_system;
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- So that a gateway can tell whether the database is as new as itself.
DO $$
BEGIN
    IF to_regclass('public.__diesel_schema_migrations') IS NOT NULL THEN
        GRANT SELECT ON public.__diesel_schema_migrations TO tessera_app, tessera_system;
    END IF;
END
$$;

-- The instant a transaction works at: the service's own clock, so that tests can move it.
CREATE FUNCTION service_now() RETURNS timestamptz LANGUAGE sql STABLE
    RETURN coalesce(nullif(current_setting('app.now', true), '')::timestamptz, now());
GRANT EXECUTE ON FUNCTION service_now() TO tessera_app, tessera_system;

-- The user who acts in this transaction; none for machines.
CREATE FUNCTION acting_user() RETURNS uuid LANGUAGE sql STABLE
    RETURN nullif(current_setting('app.user_id', true), '')::uuid;
GRANT EXECUTE ON FUNCTION acting_user() TO tessera_app, tessera_system;

-- Who did what, for whom, to which row. Written by write_audit() alone.
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
CREATE INDEX audit_entries_newest ON audit_entries (organisation_id, created_at, id);
CREATE INDEX audit_entries_of_entity ON audit_entries (organisation_id, entity_id, created_at);

-- SECURITY DEFINER: the service may not write audit rows by itself, nor change them.
CREATE FUNCTION write_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    -- pg_temp last, or a temporary table of the caller's would stand before ours.
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    touched record;
    tenant uuid;
BEGIN
    IF TG_OP = 'DELETE' THEN touched := OLD; ELSE touched := NEW; END IF;
    IF TG_TABLE_NAME = 'organisations' THEN tenant := touched.id; ELSE tenant := touched.organisation_id; END IF;
    INSERT INTO public.audit_entries (organisation_id, user_id, request_id, entity, entity_id, action, before, after)
    VALUES (
        tenant, acting_user(), nullif(current_setting('app.request_id', true), ''),
        TG_TABLE_NAME, touched.id, TG_OP,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - 'organisation_id' END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - 'organisation_id' END
    );
    RETURN NULL;
END
$$;

-- Counts the changes of a row and dates them.
CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := OLD.revision + 1;
    NEW.updated_at := service_now();
    RETURN NEW;
END
$$;

-- Row security as every tenant table has it: read and written by its own organisation alone.
-- No missing_ok: a query outside its transaction is an error and not an empty answer. The
-- sub-select makes it one evaluation per statement.
CREATE FUNCTION protect_tenant_table(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
        'CREATE POLICY own_organisation ON %s TO tessera_app
            USING (organisation_id = (SELECT current_setting(''app.organisation_id'')::uuid))
            WITH CHECK (organisation_id = (SELECT current_setting(''app.organisation_id'')::uuid))',
        name
    );
END
$$;

-- An entity is a tenant table whose rows clients see: revisions, audit, no hard delete.
CREATE FUNCTION protect_entity(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM protect_tenant_table(name);
    EXECUTE format('CREATE TRIGGER touch BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION touch_row()', name);
    EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION write_audit()', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO tessera_app', name);
END
$$;

SELECT protect_tenant_table('audit_entries');
GRANT SELECT ON audit_entries TO tessera_app;

-- What a keyed mutation answered, so that a repetition answers the same.
CREATE TABLE idempotency_keys (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    actor_id uuid NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    body_hash bytea NOT NULL,
    entity_ids uuid[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT service_now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (organisation_id, actor_id, operation, key)
);
SELECT protect_tenant_table('idempotency_keys');
GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO tessera_app;
