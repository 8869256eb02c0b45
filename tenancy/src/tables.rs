//! The tables of this crate, as diesel sees them; a test compares them with the catalogue.

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
    }
}
