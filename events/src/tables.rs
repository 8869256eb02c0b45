// PROVISIONAL, to be dropped: stands in for the queue's own table.

diesel::table! {
    jobs (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        payload -> Jsonb,
    }
}
