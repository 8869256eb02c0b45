-- Search: blind to case and accents, by an index.
--
-- make_searchable() gives a table a generated column with everything that its rows are found by, folded,
-- and an index of its trigrams for each organisation. What is searched for is folded in the same way.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
-- So that an index of trigrams can start with the organisation.
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- The same for texts that differ only in case, accents, ligatures or invisible characters.
--
-- Not by the extension unaccent: it reads a file of the server, which a new version may change under
-- stored columns, and so it is not IMMUTABLE. Accents are marks of their own after the decomposition;
-- only letters that Unicode does not decompose are listed. Its collation is named, because the
-- database's own may know ASCII alone.
CREATE FUNCTION search_fold(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN translate(
        replace(replace(replace(replace(
            regexp_replace(
                lower(normalize(given, NFKD) COLLATE "und-x-icu") COLLATE "C",
                '[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]', '', 'g'
            ), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'),
        'øłđðħıς', 'olddhiσ'
    );

-- What is searched for, as patterns of LIKE: one for each word, which is looked for anywhere. What LIKE
-- would understand as a wildcard is itself, escaped after folding, which makes % of U+FF05. At most ten
-- words: folding makes many of some characters.
CREATE FUNCTION search_patterns(searched text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(array_agg('%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'), '{}') FROM (
            SELECT word FROM regexp_split_to_table(search_fold(searched), '\s+') AS word
            WHERE word <> '' GROUP BY word ORDER BY length(word) DESC, word LIMIT 10
        ) AS words
    );

-- The texts that are there, with spaces between them. (concat_ws and array_to_string are not IMMUTABLE.)
CREATE FUNCTION search_words(VARIADIC words text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(string_agg(word, ' '), '') FROM unnest(words) AS word);

-- The values of these keys in a JSON list of objects.
CREATE FUNCTION search_items(list jsonb, VARIADIC keys text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(string_agg(item ->> key, ' '), '')
        FROM jsonb_array_elements(list) AS item CROSS JOIN unnest(keys) AS key
    );

-- Telephone numbers as they were written, and as they are dialled.
CREATE FUNCTION search_phones(list jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (
        SELECT coalesce(string_agg(number || ' ' || regexp_replace(number, '[^0-9+]', '', 'g'), ' '), '')
        FROM jsonb_array_elements(list) AS item CROSS JOIN LATERAL (SELECT item ->> 'number') AS written (number)
    );

-- Makes the rows of a table findable by this expression over their columns.
CREATE FUNCTION make_searchable(searched regclass, expression text, personal boolean DEFAULT false)
    RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'ALTER TABLE %s ADD COLUMN search text COLLATE "C" NOT NULL GENERATED ALWAYS AS (search_fold(%s)) STORED',
        searched, expression
    );
    -- Every search reads the whole list of pending entries, so it is kept short. The condition holds for
    -- each row that can be found: it only keeps statements that do not search from taking this index for
    -- one of organisations.
    EXECUTE format(
        'CREATE INDEX %I ON %s USING gin (organisation_id, search gin_trgm_ops) WITH (gin_pending_list_limit = 256) WHERE search <> ''''',
        (SELECT relname FROM pg_class WHERE oid = searched) || '_search', searched
    );
    IF personal THEN
        PERFORM mark_personal(searched, '{search}');
    END IF;
END
$$;

-- The ids of the organisation's rows of a table that match, `most` of them at most. `searched` is the
-- name of a table that make_searchable() knows.
--
-- SECURITY DEFINER: LIKE is not leakproof, so that below row security no index serves it. In place of the
-- policy stands its condition here. The ids are no answer: whoever asks still reads the rows below row
-- security. Only bitmaps, because the planner may else take a walk over all organisations to be short.
CREATE FUNCTION search_ids(searched name, words text, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET enable_seqscan = off AS $$
DECLARE
    organisation uuid := current_setting('app.organisation_id')::uuid;
    patterns text[] := search_patterns(words);
    conditions text;
BEGIN
    SELECT coalesce(string_agg(format(' AND search LIKE $2[%s]', place), ''), '') INTO conditions
    FROM generate_subscripts(patterns, 1) AS place;
    -- Planned with the patterns, whose trigrams decide how many rows are expected.
    RETURN QUERY EXECUTE
        format('SELECT id FROM public.%I WHERE organisation_id = $1 AND search <> ''''%s LIMIT $3', searched, conditions)
        USING organisation, patterns, most;
END
$$;

GRANT EXECUTE ON FUNCTION search_fold(text), search_patterns(text), search_words(text[]),
    search_items(jsonb, text[]), search_phones(jsonb), search_ids(name, text, integer) TO tessera_app;

-- The audit leaves the column out: it repeats others.
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
    IF TG_OP <> 'INSERT' THEN old_row := to_jsonb(OLD) - '{organisation_id,search}'::text[]; END IF;
    IF TG_OP <> 'DELETE' THEN new_row := to_jsonb(NEW) - '{organisation_id,search}'::text[]; END IF;
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

SELECT make_searchable('contacts', $$search_words(
    name, search_items(emails, 'address'), search_phones(phones),
    search_items(addresses, 'street', 'postalCode', 'city', 'region', 'country'),
    search_words(VARIADIC tags), left(notes, 1000)
)$$, personal => true);
SELECT make_searchable('products', 'search_words(name, category)');
