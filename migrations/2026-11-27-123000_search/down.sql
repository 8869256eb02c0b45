ALTER TABLE products DROP COLUMN search;
ALTER TABLE contacts DROP COLUMN search;

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

DROP FUNCTION search_ids(name, text, integer);
DROP FUNCTION make_searchable(regclass, text, boolean);
DROP FUNCTION search_phones(jsonb);
DROP FUNCTION search_items(jsonb, text[]);
DROP FUNCTION search_words(text[]);
DROP FUNCTION search_patterns(text);
DROP FUNCTION search_fold(text);
DROP EXTENSION btree_gin;
DROP EXTENSION pg_trgm;
