//! The tables of this crate for diesel; a test compares them with the catalogue of PostgreSQL.

diesel::table! {
    events (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        position -> BigInt,
        transaction_id -> BigInt,
        kind -> Text,
        entity -> Text,
        entity_id -> Uuid,
        details -> Jsonb,
        user_id -> Nullable<Uuid>,
        request_id -> Nullable<Text>,
        created_at -> Timestamptz,
        dispatched -> Bool,
    }
}

diesel::table! {
    jobs (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        payload -> Jsonb,
        summary -> Text,
        sequence_key -> Nullable<Text>,
        place -> BigInt,
        unique_key -> Nullable<Text>,
        run_at -> Timestamptz,
        lease -> Nullable<Uuid>,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        request_id -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    dead_letters (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        payload -> Jsonb,
        summary -> Text,
        sequence_key -> Nullable<Text>,
        place -> BigInt,
        attempts -> Integer,
        last_error -> Text,
        enqueued_at -> Timestamptz,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
        settled_at -> Nullable<Timestamptz>,
        state -> Text,
    }
}

diesel::table! {
    schedules (name) {
        name -> Text,
        next_at -> Timestamptz,
    }
}

diesel::table! {
    webhook_endpoints (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        url -> Text,
        description -> Nullable<Text>,
        event_kinds -> Array<Text>,
        active -> Bool,
        failing_since -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    webhook_secrets (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        endpoint_id -> Uuid,
        secret -> Text,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    webhook_deliveries (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        endpoint_id -> Uuid,
        event_id -> Uuid,
        event_kind -> Text,
        state -> Text,
        attempts -> Integer,
        last_attempt_at -> Nullable<Timestamptz>,
        next_attempt_at -> Nullable<Timestamptz>,
        response_status -> Nullable<Integer>,
        response_body -> Nullable<Text>,
        error -> Nullable<Text>,
        duration_ms -> Nullable<Integer>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
    }
}
