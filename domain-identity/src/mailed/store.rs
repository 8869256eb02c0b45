//! SQL of mailed tokens.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use listing::Named;
use tenancy::{Failure, Role, Scope, SystemDoor, Tx};
use uuid::Uuid;

use crate::{
    login::store::lower,
    tables::{accounts, mailed_tokens, organisations, users},
    token::MintedToken,
};

/// A token that we know of.
#[derive(Queryable, Selectable)]
#[diesel(table_name = mailed_tokens)]
pub(super) struct Known {
    pub(super) purpose: String,
    pub(super) account_id: Option<Uuid>,
    pub(super) email: String,
    pub(super) secret_hash: Vec<u8>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) roles: Option<Vec<Named<Role>>>,
    pub(super) created_by: Option<Uuid>,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) used_at: Option<DateTime<Utc>>,
}

/// Whom a token is for.
pub(super) enum Whom {
    /// Somebody with an account.
    Account(Uuid),
    /// Somebody who may become a user: names and roles.
    Newcomer(String, String, Vec<Named<Role>>),
}

#[derive(Insertable)]
#[diesel(table_name = mailed_tokens)]
pub(super) struct NewToken {
    id: Uuid,
    purpose: &'static str,
    account_id: Option<Uuid>,
    email: String,
    secret_hash: Vec<u8>,
    first_name: Option<String>,
    last_name: Option<String>,
    roles: Option<Vec<Named<Role>>>,
    expires_at: DateTime<Utc>,
}

impl NewToken {
    pub(super) fn new(
        token: &MintedToken,
        purpose: &'static str,
        email: &str,
        whom: Whom,
        expires_at: DateTime<Utc>,
    ) -> Self {
        let (account_id, first_name, last_name, roles) = match whom {
            Whom::Account(id) => (Some(id), None, None, None),
            Whom::Newcomer(first, last, roles) => (None, Some(first), Some(last), Some(roles)),
        };
        let (email, secret_hash) = (email.to_owned(), token.hash());
        Self {
            id: token.id,
            purpose,
            account_id,
            email,
            secret_hash,
            first_name,
            last_name,
            roles,
            expires_at,
        }
    }
}

/// A user, as mails speak of one.
#[derive(Queryable)]
pub(super) struct Person {
    pub(super) account_id: Uuid,
    pub(super) name: String,
    pub(super) email: String,
    /// The name of the organisation.
    pub(super) organisation: String,
}

/// Who the user is, if there is one.
pub(super) async fn person(tx: &Tx, user_id: Uuid) -> Result<Option<Person>, Failure> {
    let query = users::table
        .inner_join(organisations::table.on(organisations::id.eq(users::organisation_id)))
        .filter(users::id.eq(user_id).and(users::deleted_at.is_null()))
        .select((users::account_id, users::name, users::email, organisations::name));
    tx.row(query).await
}

/// The account of a user.
pub(super) async fn account_id(scope: &Scope, user_id: Uuid) -> Result<Option<Uuid>, Failure> {
    scope.row(users::table.filter(users::id.eq(user_id)).select(users::account_id)).await
}

/// Whether the e-mail is a user's of the organisation, deactivated ones included.
pub(super) async fn is_user(tx: &Tx, email: &str) -> Result<bool, Failure> {
    let same = lower(users::email).eq(lower(email)).and(users::deleted_at.is_null());
    Ok(tx.row::<_, Uuid, _>(users::table.filter(same).select(users::id).limit(1)).await?.is_some())
}

pub(super) async fn find(scope: &Scope, id: Uuid) -> Result<Option<Known>, Failure> {
    scope.row(mailed_tokens::table.filter(mailed_tokens::id.eq(id)).select(Known::as_select())).await
}

pub(super) async fn lock(tx: &Tx, id: Uuid) -> Result<Option<Known>, Failure> {
    let query = mailed_tokens::table.filter(mailed_tokens::id.eq(id)).select(Known::as_select());
    tx.row(query.for_update()).await
}

pub(super) async fn insert(tx: &Tx, token: NewToken) -> Result<(), Failure> {
    tx.execute(diesel::insert_into(mailed_tokens::table).values(token)).await.map(drop)
}

pub(super) async fn mark_used(tx: &Tx, id: Uuid, now: DateTime<Utc>) -> Result<(), Failure> {
    let token = mailed_tokens::table.filter(mailed_tokens::id.eq(id));
    tx.execute(diesel::update(token).set(mailed_tokens::used_at.eq(now))).await.map(drop)
}

/// Ends the time of every token of this purpose that this e-mail has got and not used.
pub(super) async fn expire(tx: &Tx, purpose: &str, email: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    let open = mailed_tokens::table
        .filter(lower(mailed_tokens::email).eq(lower(email)).and(mailed_tokens::purpose.eq(purpose)))
        .filter(mailed_tokens::used_at.is_null().and(mailed_tokens::expires_at.gt(now)));
    tx.execute(diesel::update(open).set(mailed_tokens::expires_at.eq(now))).await.map(drop)
}

/// How many tokens of this purpose this e-mail has got since then.
pub(super) async fn count_since(
    tx: &Tx,
    purpose: &str,
    email: &str,
    since: DateTime<Utc>,
) -> Result<i64, Failure> {
    let recent = mailed_tokens::table
        .filter(lower(mailed_tokens::email).eq(lower(email)).and(mailed_tokens::purpose.eq(purpose)))
        .filter(mailed_tokens::created_at.gt(since));
    Ok(tx.row(recent.count()).await?.unwrap_or_default())
}

/// How many tokens of this purpose the organisation has made since then.
pub(super) async fn count_all_since(tx: &Tx, purpose: &str, since: DateTime<Utc>) -> Result<i64, Failure> {
    let recent = mailed_tokens::table
        .filter(mailed_tokens::purpose.eq(purpose).and(mailed_tokens::created_at.gt(since)));
    Ok(tx.row(recent.count()).await?.unwrap_or_default())
}

/// Whether the e-mail of an account was verified.
pub(super) async fn is_verified(system: &SystemDoor, account_id: Uuid) -> Result<bool, Failure> {
    let query = accounts::table.filter(accounts::id.eq(account_id)).select(accounts::email_verified_at);
    let verified_at: Vec<Option<DateTime<Utc>>> = system.rows(query).await?;
    Ok(verified_at.into_iter().flatten().next().is_some())
}

/// Whether an account has this e-mail, and it was verified.
pub(super) async fn is_verified_as(
    system: &SystemDoor,
    account_id: Uuid,
    email: &str,
) -> Result<bool, Failure> {
    let query = accounts::table
        .filter(accounts::id.eq(account_id).and(lower(accounts::email).eq(lower(email))))
        .filter(accounts::email_verified_at.is_not_null())
        .select(accounts::id);
    Ok(!system.rows::<_, Uuid, _>(query).await?.is_empty())
}

/// Whether the account still has the e-mail that was verified; it is so from now on.
pub(super) async fn verify(
    tx: &Tx,
    account_id: Uuid,
    email: &str,
    now: DateTime<Utc>,
) -> Result<bool, Failure> {
    let account =
        accounts::table.filter(accounts::id.eq(account_id)).filter(lower(accounts::email).eq(lower(email)));
    Ok(tx.execute(diesel::update(account).set(accounts::email_verified_at.eq(now))).await? == 1)
}

/// From now on no token but this one sets the account's password; as the system's role, which alone
/// may say so.
pub(super) async fn admit_reset(
    tx: &Tx,
    account_id: Uuid,
    organisation_id: Uuid,
    token_id: Uuid,
) -> Result<(), Failure> {
    let account = accounts::table.filter(accounts::id.eq(account_id));
    let token = (accounts::reset_organisation_id.eq(organisation_id), accounts::reset_token_id.eq(token_id));
    tx.execute(diesel::update(account).set(token)).await.map(drop)
}

/// Sets a password with the token that may, unless the account has another e-mail by now.
pub(super) async fn set_password(
    tx: &Tx,
    account_id: Uuid,
    token: &MintedToken,
    email: &str,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, Failure> {
    let account = accounts::table
        .filter(accounts::id.eq(account_id).and(accounts::reset_token_id.eq(token.id)))
        .filter(accounts::reset_organisation_id.eq(token.organisation_id))
        .filter(lower(accounts::email).eq(lower(email)));
    let change = (
        accounts::password_hash.eq(password_hash),
        accounts::reset_token_id.eq(None::<Uuid>),
        accounts::email_verified_at.eq(now),
    );
    Ok(tx.execute(diesel::update(account).set(change)).await? == 1)
}
