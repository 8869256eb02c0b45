-- Tokens that travel by mail: invitations, password resets, e-mail verifications.

-- When its owner was last seen to read the account's mail; and the one token that may set the
-- password, in whichever organisation it lies. Whoever can write tokens of one organisation cannot
-- take over an account that other organisations know too.
ALTER TABLE accounts
    ADD COLUMN email_verified_at timestamptz,
    ADD COLUMN reset_organisation_id uuid,
    ADD COLUMN reset_token_id uuid;

-- Only the hash of a token's secret is kept, and it stays out of the audit (below).
CREATE TABLE mailed_tokens (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    purpose text NOT NULL,
    -- None where the account is still to be made.
    account_id uuid,
    email text NOT NULL,
    secret_hash bytea NOT NULL,
    -- Whom an invitation makes a user, and with which roles.
    first_name text,
    last_name text,
    roles text[],
    created_at timestamptz NOT NULL DEFAULT service_now(),
    created_by uuid DEFAULT acting_user(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT mailed_tokens_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT mailed_tokens_account_fk FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT mailed_tokens_created_by_fk FOREIGN KEY (organisation_id, created_by) REFERENCES users (organisation_id, id),
    CONSTRAINT mailed_tokens_purpose_check CHECK (purpose IN ('INVITATION', 'PASSWORD_RESET', 'EMAIL_VERIFICATION')),
    CONSTRAINT mailed_tokens_roles_check CHECK (roles <@ '{ADMIN,MANAGER,STAFF,USER,TICKET_ADMIN,TASK_WORKER,WORKFLOW_CREATOR,TRAINER}'::text[]),
    CONSTRAINT mailed_tokens_whom_check CHECK (
        CASE purpose WHEN 'INVITATION' THEN num_nulls(first_name, last_name, roles) = 0 AND account_id IS NULL
        ELSE num_nonnulls(first_name, last_name, roles) = 0 AND account_id IS NOT NULL END
    )
);
SELECT protect_tenant_table('mailed_tokens');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON mailed_tokens FOR EACH ROW EXECUTE FUNCTION write_audit();
GRANT SELECT, INSERT, UPDATE (expires_at), DELETE ON mailed_tokens TO tessera_app;
CREATE INDEX mailed_tokens_of_email ON mailed_tokens (organisation_id, lower(email), created_at);

-- Using one up changes an account, which tessera_system alone may; it too sees only the tokens of
-- the organisation that the token names.
CREATE POLICY own_organisation_by_token ON mailed_tokens TO tessera_system
    USING (organisation_id = (SELECT current_setting('app.organisation_id')::uuid))
    WITH CHECK (organisation_id = (SELECT current_setting('app.organisation_id')::uuid));
GRANT SELECT, UPDATE (used_at) ON mailed_tokens TO tessera_system;

-- An invitation asks whether its e-mail is a user already.
CREATE INDEX users_by_email ON users (organisation_id, lower(email)) WHERE deleted_at IS NULL;

-- A reset of the password ends the log-ins of the account, wherever they are.
ALTER TABLE login_sessions
    DROP CONSTRAINT login_sessions_end_reason_check,
    ADD CONSTRAINT login_sessions_end_reason_check CHECK (end_reason IN ('LOGGED_OUT', 'TOKEN_REUSED', 'PASSWORD_RESET'));
CREATE POLICY all_rows ON login_sessions TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT (organisation_id, id, user_id, ended_at), UPDATE (ended_at, end_reason) ON login_sessions TO tessera_system;

-- As before, without the hashes of secrets.
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
