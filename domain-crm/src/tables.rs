//! The tables of this crate, as diesel sees them; a test compares them with the catalogue.

diesel::table! {
    contacts (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        company_id -> Nullable<Uuid>,
        name -> Text,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        country -> Nullable<Text>,
        notes -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
    }
}
