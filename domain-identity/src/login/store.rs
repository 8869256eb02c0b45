//! SQL of log-in.

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*, sql_types::Text};
use listing::Named;
use tenancy::{Failure, Role, Scope, SystemDoor, Tx};
use uuid::Uuid;

use crate::{
    User,
    organisation::NewOrganisation,
    tables::{accounts, login_sessions, organisations, refresh_tokens, users},
};

pub(super) const LOGGED_OUT: &str = "LOGGED_OUT";
pub(super) const TOKEN_REUSED: &str = "TOKEN_REUSED";
pub(super) const PASSWORD_RESET: &str = "PASSWORD_RESET";

#[derive(Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub(crate) struct Account {
    pub(crate) id: Uuid,
    pub(crate) password_hash: String,
    pub(crate) last_organisation_id: Option<Uuid>,
}

#[derive(Insertable)]
#[diesel(table_name = users)]
pub(crate) struct NewUser {
    pub(crate) id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) name: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) email: String,
    pub(crate) roles: Vec<Named<Role>>,
    pub(crate) created_by: Option<Uuid>,
}

impl NewUser {
    pub(super) fn admin(
        id: Uuid,
        account_id: Uuid,
        first_name: String,
        last_name: String,
        email: String,
    ) -> Self {
        let name = format!("{first_name} {last_name}");
        Self {
            id,
            account_id,
            name,
            first_name,
            last_name,
            email,
            roles: vec![Named(Role::Admin), Named(Role::User)],
            created_by: Some(id),
        }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = refresh_tokens)]
pub(super) struct KnownToken {
    pub(super) login_session_id: Uuid,
    pub(super) secret_hash: Vec<u8>,
    pub(super) used_at: Option<DateTime<Utc>>,
    pub(super) successor_id: Option<Uuid>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = login_sessions)]
pub(super) struct LoginSession {
    pub(super) id: Uuid,
    pub(super) user_id: Uuid,
    expires_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
}

impl LoginSession {
    pub(super) fn is_open(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

diesel::define_sql_function!(fn lower(text: Text) -> Text);

/// The account of an e-mail, however it is capitalised.
pub(crate) async fn account(system: &SystemDoor, email: &str) -> Result<Option<Account>, Failure> {
    let query = accounts::table.filter(lower(accounts::email).eq(lower(email))).select(Account::as_select());
    Ok(system.rows(query).await?.into_iter().next())
}

/// The organisations and users of an account that it may log in to, oldest first.
pub(crate) async fn memberships(system: &SystemDoor, account_id: Uuid) -> Result<Vec<(Uuid, Uuid)>, Failure> {
    let query = users::table
        .filter(users::account_id.eq(account_id).and(users::active).and(users::deleted_at.is_null()))
        .order((users::created_at, users::id))
        .select((users::organisation_id, users::id));
    system.rows(query).await
}

pub(crate) async fn insert_account(
    tx: &Tx,
    id: Uuid,
    email: &str,
    password_hash: &str,
) -> Result<(), Failure> {
    let row = (accounts::id.eq(id), accounts::email.eq(email), accounts::password_hash.eq(password_hash));
    tx.execute(diesel::insert_into(accounts::table).values(row)).await.map(drop)
}

/// Whether the organisation could be made: not if its short name is taken.
pub(super) async fn insert_organisation(tx: &Tx, organisation: &NewOrganisation) -> Result<bool, Failure> {
    let insert = diesel::insert_into(organisations::table).values(organisation);
    Ok(tx.execute(insert.on_conflict(organisations::slug).do_nothing()).await? == 1)
}

pub(crate) async fn insert_user(tx: &Tx, user: NewUser) -> Result<(), Failure> {
    tx.execute(diesel::insert_into(users::table).values(user)).await.map(drop)
}

pub(crate) async fn remember_organisation(
    tx: &Tx,
    account_id: Uuid,
    organisation_id: Uuid,
) -> Result<(), Failure> {
    let account = accounts::table.filter(accounts::id.eq(account_id));
    let change = accounts::last_organisation_id.eq(organisation_id);
    tx.execute(diesel::update(account).set(change)).await.map(drop)
}

pub(super) async fn insert_session(
    tx: &Tx,
    id: Uuid,
    user_id: Uuid,
    expires_at: DateTime<Utc>,
) -> Result<(), Failure> {
    let row = (
        login_sessions::id.eq(id),
        login_sessions::user_id.eq(user_id),
        login_sessions::expires_at.eq(expires_at),
    );
    tx.execute(diesel::insert_into(login_sessions::table).values(row)).await.map(drop)
}

pub(super) async fn insert_token(
    tx: &Tx,
    id: Uuid,
    login_session_id: Uuid,
    secret_hash: Vec<u8>,
) -> Result<(), Failure> {
    let row = (
        refresh_tokens::id.eq(id),
        refresh_tokens::login_session_id.eq(login_session_id),
        refresh_tokens::secret_hash.eq(secret_hash),
    );
    tx.execute(diesel::insert_into(refresh_tokens::table).values(row)).await.map(drop)
}

pub(super) async fn find_token(tx: &Tx, id: Uuid) -> Result<Option<KnownToken>, Failure> {
    tx.row(refresh_tokens::table.filter(refresh_tokens::id.eq(id)).select(KnownToken::as_select())).await
}

pub(super) async fn lock_token(tx: &Tx, id: Uuid) -> Result<Option<KnownToken>, Failure> {
    let query = refresh_tokens::table.filter(refresh_tokens::id.eq(id)).select(KnownToken::as_select());
    tx.row(query.for_update()).await
}

pub(super) async fn lock_session(tx: &Tx, id: Uuid) -> Result<Option<LoginSession>, Failure> {
    let query = login_sessions::table.filter(login_sessions::id.eq(id)).select(LoginSession::as_select());
    tx.row(query.for_update()).await
}

/// Whether a user may still log in.
pub(super) async fn is_active(tx: &Tx, user_id: Uuid) -> Result<bool, Failure> {
    let active = users::id.eq(user_id).and(users::active).and(users::deleted_at.is_null());
    Ok(tx.row::<_, Uuid, _>(users::table.filter(active).select(users::id)).await?.is_some())
}

pub(super) async fn use_token(
    tx: &Tx,
    id: Uuid,
    successor_id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let token = refresh_tokens::table.filter(refresh_tokens::id.eq(id));
    let used = (refresh_tokens::used_at.eq(now), refresh_tokens::successor_id.eq(successor_id));
    tx.execute(diesel::update(token).set(used)).await.map(drop)
}

pub(super) async fn end_session(tx: &Tx, id: Uuid, reason: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    let open =
        login_sessions::table.filter(login_sessions::id.eq(id).and(login_sessions::ended_at.is_null()));
    let end = (login_sessions::ended_at.eq(now), login_sessions::end_reason.eq(reason));
    tx.execute(diesel::update(open).set(end)).await.map(drop)
}

/// Ends every log-in session of an account, in all its organisations; as the system's role.
pub(crate) async fn end_sessions(tx: &Tx, account_id: Uuid, now: DateTime<Utc>) -> Result<(), Failure> {
    let own = users::organisation_id
        .eq(login_sessions::organisation_id)
        .and(users::id.eq(login_sessions::user_id))
        .and(users::account_id.eq(account_id));
    let open = login_sessions::table
        .filter(login_sessions::ended_at.is_null())
        .filter(exists(users::table.filter(own).select(users::id)));
    let end = (login_sessions::ended_at.eq(now), login_sessions::end_reason.eq(PASSWORD_RESET));
    tx.execute(diesel::update(open).set(end)).await.map(drop)
}

/// One user of the organisation.
pub(super) async fn user(scope: &Scope, id: Uuid) -> Result<Option<User>, Failure> {
    scope.row(users::table.filter(users::id.eq(id)).select(User::as_select())).await
}

/// The roles of a user whose log-in session is open, and the time zone of the organisation.
pub(super) async fn live_session(
    scope: &Scope,
    login_session_id: Uuid,
    user_id: Uuid,
) -> Result<Option<(Vec<Named<Role>>, String)>, Failure> {
    let own =
        users::organisation_id.eq(login_sessions::organisation_id).and(users::id.eq(login_sessions::user_id));
    let open = login_sessions::ended_at.is_null().and(login_sessions::expires_at.gt(scope.clock().now()));
    let query = login_sessions::table
        .inner_join(users::table.on(own))
        .inner_join(organisations::table.on(organisations::id.eq(login_sessions::organisation_id)))
        .filter(login_sessions::id.eq(login_session_id).and(open))
        .filter(users::id.eq(user_id).and(users::active).and(users::deleted_at.is_null()))
        .select((users::roles, organisations::time_zone));
    scope.row(query).await
}
