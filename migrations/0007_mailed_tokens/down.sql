CREATE OR REPLACE FUNCTION write_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
REVOKE SELECT (organisation_id, id, user_id, ended_at), UPDATE (ended_at, end_reason) ON login_sessions FROM tessera_system;
DROP POLICY all_rows ON login_sessions;
UPDATE login_sessions SET end_reason = 'LOGGED_OUT' WHERE end_reason = 'PASSWORD_RESET';
ALTER TABLE login_sessions
    DROP CONSTRAINT login_sessions_end_reason_check,
    ADD CONSTRAINT login_sessions_end_reason_check CHECK (end_reason IN ('LOGGED_OUT', 'TOKEN_REUSED'));
DROP INDEX users_by_email;
DROP TABLE mailed_tokens;
ALTER TABLE accounts DROP COLUMN email_verified_at, DROP COLUMN reset_organisation_id, DROP COLUMN reset_token_id;
