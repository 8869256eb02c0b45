//! The tables of this crate for diesel; a test compares them with the catalogue of PostgreSQL.

diesel::table! {
    idempotency_keys (organisation_id, actor_id, operation, key) {
        organisation_id -> Uuid,
        actor_id -> Uuid,
        operation -> Text,
        key -> Text,
        body_hash -> Binary,
        entity_ids -> Array<Uuid>,
        created_at -> Timestamptz,
        permanent -> Bool,
        outcome -> Nullable<Jsonb>,
    }
}
