-- A small audit: an UPDATE records the columns that it changed, the table has a partition for each
-- month, and old months are dropped. protect_entity() learns which columns are redacted, untracked
-- or personal.

-- Partitions.

-- A partition is read and written through its table, whose policy decides. Row security without a
-- policy closes the partition itself to everyone but its owner.
CREATE FUNCTION protect_partition(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
END
$$;

-- Makes the partition of one month (UTC) of a table that is partitioned by created_at and has no
-- generated columns, and moves the month's rows there from the table's default partition. Does
-- nothing if the partition exists.
CREATE FUNCTION make_month_partition(parent name, month date) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    partition name := parent || to_char(month, '_YYYY_MM');
    first timestamptz := month::timestamp AT TIME ZONE 'UTC';
    next timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(format('public.%I', partition)) IS NOT NULL THEN
        RETURN;
    END IF;
    -- Waits for writers and keeps others out: a row on its way into the default partition would be
    -- refused if its month got a partition meanwhile.
    EXECUTE format('LOCK TABLE public.%I IN SHARE ROW EXCLUSIVE MODE', parent);
    IF to_regclass(format('public.%I', partition)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', partition, parent);
    PERFORM protect_partition(format('public.%I', partition)::regclass);
    EXECUTE format(
        'WITH moved AS (DELETE FROM public.%I WHERE created_at >= $1 AND created_at < $2 RETURNING *)
         INSERT INTO public.%I SELECT * FROM moved', parent || '_default', partition
    ) USING first, next;
    EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, partition, first, next);
END
$$;

-- The audit, with its rows.

ALTER TABLE audit_entries RENAME TO audit_entries_before;
ALTER TABLE audit_entries_before RENAME CONSTRAINT audit_entries_pkey TO audit_entries_before_pkey;
ALTER TABLE audit_entries_before RENAME CONSTRAINT audit_entries_action_check TO audit_entries_before_action_check;
DROP INDEX audit_entries_newest, audit_entries_of_entity;

CREATE TABLE audit_entries (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT service_now(),
    user_id uuid,
    request_id text,
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    action text NOT NULL CONSTRAINT audit_entries_action_check CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    -- Of an UPDATE, the columns that it changed; else the row. Redacted columns are left out.
    before jsonb,
    after jsonb,
    -- The redacted columns that an UPDATE changed; null if there are none.
    redacted text[],
    -- The key also serves those who page from the newest entry.
    CONSTRAINT audit_entries_pkey PRIMARY KEY (organisation_id, created_at, id)
) PARTITION BY RANGE (created_at);
CREATE INDEX audit_entries_of_entity ON audit_entries (organisation_id, entity_id, created_at);
SELECT protect_tenant_table('audit_entries');
GRANT SELECT ON audit_entries TO tessera_app;

-- Takes the rows of every month without a partition, so that no write fails for lack of one.
CREATE TABLE audit_entries_default PARTITION OF audit_entries DEFAULT;
SELECT protect_partition('audit_entries_default');

-- How long an entry is kept.
CREATE FUNCTION audit_retention() RETURNS interval LANGUAGE sql IMMUTABLE RETURN interval '24 months';

-- Makes the audit's partitions for this month, the next three, and past months whose rows are in
-- the default partition; drops months that are older than the retention.
--
-- SECURITY DEFINER: only an owner makes and drops tables. It takes no argument and reads the
-- machine's clock instead of service_now(), so that no caller can have entries dropped early.
CREATE FUNCTION keep_audit_partitions() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    -- Whoever waits for a lock holds up all that write after it. The next day will do as well.
    SET lock_timeout = '1s' AS $$
DECLARE
    this_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
    oldest date := date_trunc('month', now() AT TIME ZONE 'UTC' - audit_retention());
    outdated regclass;
    month date;
BEGIN
    FOR outdated IN
        SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'public.audit_entries'::regclass AND relname ~ '_\d{4}_\d{2}$'
          AND to_date(right(relname, 7), 'YYYY_MM') < oldest
    LOOP
        EXECUTE format('DROP TABLE %s', outdated);
    END LOOP;
    DELETE FROM public.audit_entries_default WHERE created_at < oldest::timestamp AT TIME ZONE 'UTC';
    FOR month IN
        SELECT generate_series(this_month, this_month + interval '3 months', interval '1 month')
        UNION
        SELECT date_trunc('month', created_at AT TIME ZONE 'UTC') FROM public.audit_entries_default WHERE created_at < now()
    LOOP
        PERFORM make_month_partition('audit_entries', month);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION keep_audit_partitions() TO tessera_system;
SELECT keep_audit_partitions();

-- The entries so far, each in its month. How old they are is not asked here.
SELECT make_month_partition('audit_entries', month)
FROM (SELECT DISTINCT date_trunc('month', created_at AT TIME ZONE 'UTC')::date AS month FROM audit_entries_before) AS months;
INSERT INTO audit_entries (organisation_id, id, created_at, user_id, request_id, entity, entity_id, action, before, after)
SELECT organisation_id, id, created_at, user_id, request_id, entity, entity_id, action, before, after FROM audit_entries_before;
DROP TABLE audit_entries_before;

-- What is written.

-- Its arguments, both arrays as text: redacted columns, whose values stay out of the audit, and
-- untracked columns, which are no change.
CREATE OR REPLACE FUNCTION write_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    hidden text[] := coalesce(TG_ARGV[0], '{}');
    untracked text[] := coalesce(TG_ARGV[1], '{}');
    touched record;
    tenant uuid;
    old_row jsonb;
    new_row jsonb;
    changed_hidden text[];
BEGIN
    IF TG_OP = 'DELETE' THEN touched := OLD; ELSE touched := NEW; END IF;
    IF TG_TABLE_NAME = 'organisations' THEN tenant := touched.id; ELSE tenant := touched.organisation_id; END IF;
    IF TG_OP <> 'INSERT' THEN old_row := to_jsonb(OLD) - 'organisation_id'; END IF;
    IF TG_OP <> 'DELETE' THEN new_row := to_jsonb(NEW) - 'organisation_id'; END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT coalesce(jsonb_object_agg(key, old_row -> key) FILTER (WHERE key <> ALL (hidden)), '{}'),
               coalesce(jsonb_object_agg(key, value) FILTER (WHERE key <> ALL (hidden)), '{}'),
               array_agg(key) FILTER (WHERE key = ANY (hidden))
        INTO old_row, new_row, changed_hidden
        FROM jsonb_each(new_row)
        WHERE value IS DISTINCT FROM old_row -> key AND key <> ALL (untracked);
        IF new_row = '{}' AND changed_hidden IS NULL THEN
            RETURN NULL;
        END IF;
    ELSE
        old_row := old_row - hidden;
        new_row := new_row - hidden;
    END IF;
    INSERT INTO public.audit_entries (organisation_id, user_id, request_id, entity, entity_id, action, before, after, redacted)
    VALUES (
        tenant, acting_user(), nullif(current_setting('app.request_id', true), ''),
        TG_TABLE_NAME, touched.id, TG_OP, old_row, new_row, changed_hidden
    );
    RETURN NULL;
END
$$;

-- Makes the triggers that count the revisions of an entity and write its audit, or makes them anew:
-- a migration that adds a column to a table with untracked columns calls this again. One that drops
-- such a column drops the two triggers before.
CREATE FUNCTION track_changes(name regclass, redacted text[] DEFAULT '{}', untracked text[] DEFAULT '{}')
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    unknown text;
    of_tracked text := '';
BEGIN
    SELECT given INTO unknown FROM unnest(redacted || untracked) AS given
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = name AND attname = given AND attnum > 0 AND NOT attisdropped);
    IF unknown IS NOT NULL THEN
        RAISE undefined_column USING MESSAGE = format('%s has no column %s', name, unknown);
    END IF;
    -- By the columns that an UPDATE names, so that one of untracked columns alone costs nothing.
    IF untracked <> '{}' THEN
        SELECT ' OF ' || string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO of_tracked
        FROM pg_attribute
        WHERE attrelid = name AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> ALL (untracked);
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER touch BEFORE UPDATE%s ON %s FOR EACH ROW EXECUTE FUNCTION touch_row()', of_tracked, name);
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE%s OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION write_audit(%L, %L)',
        of_tracked, name, redacted, untracked
    );
END
$$;

-- Marks columns that hold personal data: what erasing and exporting a person is about, and what a
-- key for figures alone may not group by. The mark is the column's comment, so that it is renamed
-- and dropped with the column.
CREATE FUNCTION mark_personal(name regclass, personal text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    marked text;
BEGIN
    FOREACH marked IN ARRAY personal LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS ''personal''', name, marked);
    END LOOP;
END
$$;

-- As before, with three kinds of columns:
-- redacted: the audit says that they changed, never a value of theirs;
-- untracked: their changes count no revision and write no audit;
-- personal: hold personal data.
DROP FUNCTION protect_entity(regclass);
CREATE FUNCTION protect_entity(
    name regclass, redacted text[] DEFAULT '{}', untracked text[] DEFAULT '{}', personal text[] DEFAULT '{}'
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM protect_tenant_table(name);
    PERFORM track_changes(name, redacted, untracked);
    PERFORM mark_personal(name, personal);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %s TO tessera_app', name);
END
$$;

-- The tables that there are.
CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON mailed_tokens
    FOR EACH ROW EXECUTE FUNCTION write_audit('{secret_hash}');
SELECT mark_personal('accounts', '{email}');
SELECT mark_personal('users', '{name,first_name,last_name,email}');
SELECT mark_personal('mailed_tokens', '{email,first_name,last_name}');
-- Kind, country and tags are left for figures: they describe many.
SELECT mark_personal('contacts', '{name,notes,emails,phones,addresses,birthday,custom_fields,email,phone,city}');
