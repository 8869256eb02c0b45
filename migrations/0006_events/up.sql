-- Events: what happened (the outbox), the jobs that follow from it, and webhooks.

-- What happened. Written by the transaction of the change itself; read by the live fan-out of every
-- gateway, and by the dispatcher, which makes jobs of it. Kept for a while, so that what was missed
-- can be caught up with.
CREATE TABLE events (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    -- The order within one entity: its row is locked while its events are published.
    position bigint GENERATED ALWAYS AS IDENTITY,
    -- What became visible since a snapshot is known by the transaction, not by the position:
    -- transactions do not end in the order of positions.
    transaction_id bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    kind text NOT NULL,
    entity text NOT NULL,
    entity_id uuid NOT NULL,
    details jsonb NOT NULL,
    user_id uuid DEFAULT acting_user(),
    request_id text DEFAULT nullif(current_setting('app.request_id', true), ''),
    created_at timestamptz NOT NULL DEFAULT service_now(),
    dispatched boolean NOT NULL DEFAULT false,
    CONSTRAINT events_pkey PRIMARY KEY (organisation_id, id)
);
SELECT protect_tenant_table('events');
GRANT SELECT, INSERT, DELETE ON events TO tessera_app;
CREATE POLICY all_rows ON events TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON events TO tessera_system;
-- Two that do not start with the tenant: the outbox is emptied for all organisations at once.
CREATE INDEX events_undispatched ON events (position) WHERE NOT dispatched;
CREATE INDEX events_since ON events (transaction_id);
CREATE INDEX events_by_age ON events (organisation_id, created_at) WHERE dispatched;

-- What is to be done in the background, by any gateway. A job is deleted when it is done, and
-- becomes a dead letter when it was tried too often.
CREATE TABLE jobs (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    payload jsonb NOT NULL,
    -- What it is about, for people.
    summary text NOT NULL,
    -- Jobs with the same key run one after the other, by their place.
    sequence_key text,
    place bigint NOT NULL DEFAULT 0,
    -- Of jobs with the same key only one waits.
    unique_key text,
    -- When it may run; while somebody works on it, when the lease ends.
    run_at timestamptz NOT NULL DEFAULT service_now(),
    lease uuid,
    attempts integer NOT NULL DEFAULT 0,
    last_error text,
    request_id text DEFAULT nullif(current_setting('app.request_id', true), ''),
    created_at timestamptz NOT NULL DEFAULT service_now(),
    CONSTRAINT jobs_pkey PRIMARY KEY (organisation_id, id)
);
SELECT protect_tenant_table('jobs');
GRANT SELECT, INSERT, UPDATE (run_at), DELETE ON jobs TO tessera_app;
CREATE POLICY all_rows ON jobs TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO tessera_system;
CREATE INDEX jobs_due ON jobs (organisation_id, run_at);
CREATE INDEX jobs_in_sequence ON jobs (organisation_id, sequence_key, place) WHERE sequence_key IS NOT NULL;
CREATE UNIQUE INDEX jobs_unique_key ON jobs (organisation_id, kind, unique_key) WHERE unique_key IS NOT NULL;
-- Rows live for moments: what they leave behind must be swept as soon.
ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);

-- Jobs that were given up: what nobody gets unless somebody looks.
CREATE TABLE dead_letters (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    summary text NOT NULL,
    sequence_key text,
    place bigint NOT NULL,
    attempts integer NOT NULL,
    last_error text NOT NULL,
    enqueued_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    updated_at timestamptz NOT NULL DEFAULT service_now(),
    created_by uuid,
    revision integer NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    replayed_at timestamptz,
    CONSTRAINT dead_letters_pkey PRIMARY KEY (organisation_id, id)
);
SELECT protect_tenant_table('dead_letters');
CREATE TRIGGER touch BEFORE UPDATE ON dead_letters FOR EACH ROW EXECUTE FUNCTION touch_row();
GRANT SELECT, UPDATE, DELETE ON dead_letters TO tessera_app;
CREATE POLICY all_rows ON dead_letters TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON dead_letters TO tessera_system;
CREATE INDEX dead_letters_newest ON dead_letters (organisation_id, created_at, id) WHERE deleted_at IS NULL;

-- When each recurring job is due next, for all organisations.
CREATE TABLE schedules (
    name text NOT NULL,
    next_at timestamptz NOT NULL,
    CONSTRAINT schedules_pkey PRIMARY KEY (name)
);
ALTER TABLE schedules ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON schedules TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON schedules TO tessera_system;

-- Addresses outside that an organisation wants to be told at.
CREATE TABLE webhook_endpoints (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    url text NOT NULL,
    description text,
    -- `contact.created`, `contact.*`, `*`.
    event_kinds text[] NOT NULL,
    active boolean NOT NULL DEFAULT true,
    -- Since when every attempt has failed.
    failing_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    updated_at timestamptz NOT NULL DEFAULT service_now(),
    created_by uuid DEFAULT acting_user(),
    revision integer NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT webhook_endpoints_created_by_fk FOREIGN KEY (organisation_id, created_by) REFERENCES users (organisation_id, id)
);
SELECT protect_entity('webhook_endpoints');
CREATE POLICY all_rows ON webhook_endpoints TO tessera_system USING (true) WITH CHECK (true);
GRANT SELECT (organisation_id, id, event_kinds, active, deleted_at) ON webhook_endpoints TO tessera_system;
CREATE INDEX webhook_endpoints_newest ON webhook_endpoints (organisation_id, created_at, id) WHERE deleted_at IS NULL;

-- What requests to an endpoint are signed with: one secret, and for a while the one before.
CREATE TABLE webhook_secrets (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    secret text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    expires_at timestamptz,
    CONSTRAINT webhook_secrets_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT webhook_secrets_endpoint_fk FOREIGN KEY (organisation_id, endpoint_id) REFERENCES webhook_endpoints (organisation_id, id)
);
SELECT protect_tenant_table('webhook_secrets');
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_secrets TO tessera_app;
CREATE INDEX webhook_secrets_of_endpoint ON webhook_secrets (organisation_id, endpoint_id);

-- One event for one endpoint, and what became of it.
CREATE TABLE webhook_deliveries (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    event_kind text NOT NULL,
    state text NOT NULL DEFAULT 'PENDING',
    attempts integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    next_attempt_at timestamptz,
    response_status integer,
    response_body text,
    error text,
    duration_ms integer,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    updated_at timestamptz NOT NULL DEFAULT service_now(),
    created_by uuid,
    revision integer NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT webhook_deliveries_endpoint_fk FOREIGN KEY (organisation_id, endpoint_id) REFERENCES webhook_endpoints (organisation_id, id),
    CONSTRAINT webhook_deliveries_state_check CHECK (state IN ('PENDING', 'DELIVERED', 'FAILED'))
);
SELECT protect_tenant_table('webhook_deliveries');
CREATE TRIGGER touch BEFORE UPDATE ON webhook_deliveries FOR EACH ROW EXECUTE FUNCTION touch_row();
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_deliveries TO tessera_app;
CREATE POLICY all_rows ON webhook_deliveries TO tessera_system USING (true) WITH CHECK (true);
GRANT INSERT, SELECT (organisation_id, id, endpoint_id, event_id, state, error), UPDATE (state, error, next_attempt_at)
    ON webhook_deliveries TO tessera_system;
-- Nobody is told twice of an event; and an event goes when all its deliveries are gone.
CREATE UNIQUE INDEX webhook_deliveries_event_key ON webhook_deliveries (organisation_id, event_id, endpoint_id);
CREATE INDEX webhook_deliveries_newest ON webhook_deliveries (organisation_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX webhook_deliveries_of_endpoint ON webhook_deliveries (organisation_id, endpoint_id, created_at, id) WHERE deleted_at IS NULL;

-- Keys are forgotten after a day; so far nobody swept them away.
GRANT DELETE ON idempotency_keys TO tessera_app;
