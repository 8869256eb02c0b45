//! The tables of this crate, as diesel sees them; a test compares them with the catalogue.

diesel::table! {
    contacts (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        company_id -> Nullable<Uuid>,
        name -> Text,
        notes -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
        emails -> Jsonb,
        phones -> Jsonb,
        addresses -> Jsonb,
        birthday -> Nullable<Date>,
        tags -> Array<Text>,
        custom_fields -> Jsonb,
        email -> Nullable<Text>,
        phone -> Nullable<Text>,
        city -> Nullable<Text>,
        country -> Nullable<Text>,
        external_id -> Nullable<Text>,
        search -> Text,
    }
}

diesel::table! {
    products (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        name -> Text,
        category -> Nullable<Text>,
        our_cost -> Numeric,
        client_price -> Numeric,
        margin -> Numeric,
        unit -> Nullable<Text>,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
        external_id -> Nullable<Text>,
        search -> Text,
    }
}
