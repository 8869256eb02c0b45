//! The tables of this crate, as diesel sees them; a test compares them with the catalogue.

diesel::table! {
    accounts (id) {
        id -> Uuid,
        email -> Text,
        password_hash -> Text,
        last_organisation_id -> Nullable<Uuid>,
        created_at -> Timestamptz,
        email_verified_at -> Nullable<Timestamptz>,
        reset_organisation_id -> Nullable<Uuid>,
        reset_token_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    organisations (id) {
        id -> Uuid,
        slug -> Text,
        name -> Text,
        plan -> Text,
        time_zone -> Text,
        currency -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        revision -> Integer,
    }
}

diesel::table! {
    users (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        account_id -> Uuid,
        name -> Text,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        email -> Text,
        roles -> Array<Text>,
        active -> Bool,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        revision -> Integer,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    login_sessions (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        user_id -> Uuid,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        end_reason -> Nullable<Text>,
    }
}

diesel::table! {
    refresh_tokens (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        login_session_id -> Uuid,
        secret_hash -> Binary,
        created_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
        successor_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    mailed_tokens (organisation_id, id) {
        organisation_id -> Uuid,
        id -> Uuid,
        purpose -> Text,
        account_id -> Nullable<Uuid>,
        email -> Text,
        secret_hash -> Binary,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        roles -> Nullable<Array<Text>>,
        created_at -> Timestamptz,
        created_by -> Nullable<Uuid>,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(login_sessions, organisations, users);
