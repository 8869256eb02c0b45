-- Identity: organisations, the accounts that log in, their users, log-in sessions.

-- A person who can log in. Global, and reachable by tessera_system alone.
CREATE TABLE accounts (
    id uuid NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    last_organisation_id uuid,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    CONSTRAINT accounts_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX accounts_email_key ON accounts (lower(email));
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON accounts TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON accounts TO tessera_system;

-- The tenants. Its own row is all that an organisation sees of this table.
CREATE TABLE organisations (
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    plan text NOT NULL DEFAULT 'starter',
    time_zone text NOT NULL DEFAULT 'UTC',
    currency text NOT NULL DEFAULT 'EUR',
    created_at timestamptz NOT NULL DEFAULT service_now(),
    updated_at timestamptz NOT NULL DEFAULT service_now(),
    revision integer NOT NULL DEFAULT 1,
    CONSTRAINT organisations_pkey PRIMARY KEY (id),
    CONSTRAINT organisations_slug_key UNIQUE (slug)
);
ALTER TABLE organisations ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON organisations TO tessera_app
    USING (id = (SELECT current_setting('app.organisation_id')::uuid))
    WITH CHECK (id = (SELECT current_setting('app.organisation_id')::uuid));
CREATE POLICY all_rows ON organisations TO tessera_system USING (true) WITH CHECK (true);
CREATE TRIGGER touch BEFORE UPDATE ON organisations FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON organisations FOR EACH ROW EXECUTE FUNCTION write_audit();
GRANT SELECT ON organisations TO tessera_app;
GRANT SELECT, INSERT ON organisations TO tessera_system;

-- An account's membership of one organisation.
CREATE TABLE users (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    name text COLLATE "und-x-icu" NOT NULL,
    first_name text,
    last_name text,
    email text NOT NULL,
    roles text[] NOT NULL DEFAULT '{USER}',
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    updated_at timestamptz NOT NULL DEFAULT service_now(),
    created_by uuid DEFAULT acting_user(),
    revision integer NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT users_account_fk FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT users_created_by_fk FOREIGN KEY (organisation_id, created_by) REFERENCES users (organisation_id, id),
    CONSTRAINT users_roles_check CHECK (roles <@ '{ADMIN,MANAGER,STAFF,USER,TICKET_ADMIN,TASK_WORKER,WORKFLOW_CREATOR,TRAINER}'::text[])
);
CREATE UNIQUE INDEX users_account_key ON users (organisation_id, account_id) WHERE deleted_at IS NULL;
SELECT protect_entity('users');
CREATE POLICY all_rows ON users TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON users TO tessera_system;
CREATE INDEX users_newest ON users (organisation_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX users_by_name ON users (organisation_id, name, id) WHERE deleted_at IS NULL;
-- The one index that does not start with the tenant: log-in asks for all users of an account.
CREATE INDEX users_of_account ON users (account_id);

-- One log-in and everything refreshed from it: the family of its refresh tokens.
CREATE TABLE login_sessions (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT login_sessions_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT login_sessions_user_fk FOREIGN KEY (organisation_id, user_id) REFERENCES users (organisation_id, id),
    CONSTRAINT login_sessions_end_reason_check CHECK (end_reason IN ('LOGGED_OUT', 'TOKEN_REUSED'))
);
SELECT protect_tenant_table('login_sessions');
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON login_sessions FOR EACH ROW EXECUTE FUNCTION write_audit();
GRANT SELECT, INSERT, UPDATE ON login_sessions TO tessera_app;
CREATE INDEX login_sessions_of_user ON login_sessions (organisation_id, user_id);

-- Only the hash of a token's secret is kept.
CREATE TABLE refresh_tokens (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    login_session_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    used_at timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT refresh_tokens_login_session_fk FOREIGN KEY (organisation_id, login_session_id)
        REFERENCES login_sessions (organisation_id, id)
);
SELECT protect_tenant_table('refresh_tokens');
GRANT SELECT, INSERT, UPDATE ON refresh_tokens TO tessera_app;
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (organisation_id, login_session_id);

-- Every gateway forgets what it remembers of a session when the session or its user changes.
CREATE FUNCTION forget_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('tessera_sessions', NEW.id::text);
    RETURN NULL;
END
$$;
CREATE TRIGGER forget AFTER UPDATE OF roles, active, deleted_at ON users FOR EACH ROW EXECUTE FUNCTION forget_session();
CREATE TRIGGER forget AFTER UPDATE OF ended_at ON login_sessions FOR EACH ROW EXECUTE FUNCTION forget_session();
