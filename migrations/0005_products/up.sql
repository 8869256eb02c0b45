-- Products: what an organisation sells, goods and services alike (CRM-6). Amounts are in the
-- organisation's currency.
CREATE TABLE products (
    organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
    id uuid NOT NULL,
    name text COLLATE "und-x-icu" NOT NULL,
    category text COLLATE "und-x-icu",
    our_cost numeric NOT NULL DEFAULT 0,
    client_price numeric NOT NULL DEFAULT 0,
    margin numeric NOT NULL GENERATED ALWAYS AS (client_price - our_cost) STORED,
    unit text COLLATE "und-x-icu",
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT service_now(),
    updated_at timestamptz NOT NULL DEFAULT service_now(),
    created_by uuid DEFAULT acting_user(),
    revision integer NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    CONSTRAINT products_pkey PRIMARY KEY (organisation_id, id),
    CONSTRAINT products_created_by_fk FOREIGN KEY (organisation_id, created_by) REFERENCES users (organisation_id, id),
    CONSTRAINT products_our_cost_check CHECK (our_cost >= 0),
    CONSTRAINT products_client_price_check CHECK (client_price >= 0)
);
SELECT protect_entity('products');
CREATE INDEX products_newest ON products (organisation_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_name ON products (organisation_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_category ON products (organisation_id, category, id) WHERE deleted_at IS NULL;
