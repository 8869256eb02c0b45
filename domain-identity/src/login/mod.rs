//! Signing up, logging in, refreshing and logging out.
//!
//! A log-in opens a *login session* in one organisation: the family of its refresh tokens. Each
//! refresh uses one token up and gives the next. A token that is shown again soon, while the next one
//! is unused, gives the same next one: two tabs refresh at once, or an answer is lost. Shown again
//! later, it was stolen, from us or from the user, and nobody can tell which: the whole family ends.

mod graphql;
pub(crate) mod rules;
pub(crate) mod store;

use std::sync::Arc;

use async_graphql::SimpleObject;
use chrono::TimeDelta;
use listing::{Instant, tidy};
use tenancy::{ErrorCode, Failure, Permission, Refusal, RequestId, Scope, Tx, UserSession};
use uuid::Uuid;

pub use graphql::SignUpInput;
pub(crate) use graphql::{LogInPayload, LoginMutation, LoginQuery};

use crate::{
    Grants, Identity, Organisation, User,
    identity::Inner,
    organisation::{self, NewOrganisation, slug_of},
    token::{MintedToken, TokenKeys},
};

/// How long a log-in lasts, however often it is refreshed.
const SESSION: TimeDelta = TimeDelta::days(30);
/// How long after its first use a refresh token answers the same successor again.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// How many organisations an account can sign up: each of them mails its e-mail.
const MAX_ORGANISATIONS: usize = 20;

/// A log-in: its tokens, the user and the organisation.
#[derive(SimpleObject)]
#[graphql(name = "LogIn")]
pub struct LoggedIn {
    /// The access token. Send it as `Authorization: Bearer …`. It is valid for 15 minutes.
    pub access_token: String,
    /// The refresh token, which `refreshLogIn` exchanges for the next pair of tokens.
    pub refresh_token: String,
    /// When the access token expires.
    pub expires_at: Instant,
    /// The user who is logged in.
    pub user: User,
    /// The organisation that the user is logged in to.
    pub organisation: Organisation,
}

/// Makes an organisation with its first admin, and logs the admin in (TKT-20). An account that
/// exists already is used if the password is its own. Whether the e-mail is theirs is for the caller
/// to ask.
///
/// # Errors
/// INVALID fields, ALREADY_EXISTS for a slug or an account.
pub async fn sign_up(
    identity: &Identity,
    request_id: &RequestId,
    input: SignUpInput,
) -> Result<LoggedIn, Failure> {
    let input = rules::check_sign_up(input)?;
    let Claimed { account_id, new_hash } = claim_account(identity, &input.email, input.password).await?;
    if store::memberships(&identity.0.system, account_id).await?.len() >= MAX_ORGANISATIONS {
        let message = format!("An account belongs to at most {MAX_ORGANISATIONS} organisations.");
        return Err(Failure::user(ErrorCode::LimitReached, "email", message));
    }
    let (organisation_id, user_id) = (Uuid::now_v7(), Uuid::now_v7());
    identity
        .0
        .system
        .write(organisation_id, Some(user_id), request_id, |tx| async move {
            if let Some(password_hash) = new_hash {
                store::insert_account(&tx, account_id, &input.email, &password_hash).await?;
            }
            make_organisation(&tx, organisation_id, input.organisation_name, input.slug).await?;
            store::remember_organisation(&tx, account_id, organisation_id).await?;
            let admin =
                store::NewUser::admin(user_id, account_id, input.first_name, input.last_name, input.email);
            store::insert_user(&tx, admin).await
        })
        .await?;
    open_session(identity, request_id, account_id, organisation_id, user_id).await
}

/// An account that somebody has shown to be theirs, or that is theirs to make.
pub(crate) struct Claimed {
    pub(crate) account_id: Uuid,
    /// What to make the account with; nothing if it is there.
    pub(crate) new_hash: Option<String>,
}

/// The account of an e-mail if this is its password, or a new one if the e-mail has none.
///
/// # Errors
/// NOT_ALLOWED for another password than the account's.
pub(crate) async fn claim_account(
    identity: &Identity,
    email: &str,
    password: String,
) -> Result<Claimed, Failure> {
    let Inner { system, hasher, .. } = &*identity.0;
    let Some(account) = store::account(system, email).await? else {
        let new_hash = Some(hasher.hash(password).await?);
        return Ok(Claimed { account_id: Uuid::now_v7(), new_hash });
    };
    if !hasher.verify(password, Some(account.password_hash)).await? {
        let message = "This e-mail has an account already, with another password.";
        return Err(Failure::user(ErrorCode::NotAllowed, "password", message));
    }
    Ok(Claimed { account_id: account.id, new_hash: None })
}

/// How many short names with something random behind them are tried for one name. With 5,000
/// organisations of that name, one try in 3,000 meets a taken one.
const SLUG_TRIES: usize = 3;

/// A short name that was asked for must be free; one made from the name gives way.
async fn make_organisation(tx: &Tx, id: Uuid, name: String, asked: Option<String>) -> Result<(), Failure> {
    let candidates = match asked {
        Some(slug) => vec![slug],
        None => {
            let slug = slug_of(&name);
            let others = (0..SLUG_TRIES).map(|_| format!("{slug}-{:06x}", rand::random::<u32>() >> 8));
            std::iter::once(slug.clone()).chain(others).collect()
        }
    };
    for slug in candidates {
        let organisation = NewOrganisation { id, slug, name: name.clone() };
        if store::insert_organisation(tx, &organisation).await? {
            return Ok(());
        }
    }
    Err(Failure::user(ErrorCode::AlreadyExists, "slug", "Another organisation has this short name."))
}

/// Logs an account in to one of its organisations: the given one, else the one used last, else the
/// oldest.
///
/// # Errors
/// NOT_ALLOWED for a wrong e-mail or password, without telling which; NOT_FOUND for an organisation
/// that the account is no active user of.
pub(crate) async fn log_in(
    identity: &Identity,
    request_id: &RequestId,
    email: &str,
    password: String,
    organisation_id: Option<Uuid>,
) -> Result<LoggedIn, Failure> {
    let Inner { system, hasher, .. } = &*identity.0;
    let email = tidy(email);
    let account = if rules::is_askable(email) { store::account(system, email).await? } else { None };
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let (true, Some(account)) = (hasher.verify(password, hash).await?, account) else {
        return Err(Failure::user(ErrorCode::NotAllowed, "", "The e-mail or the password is wrong."));
    };
    let memberships = store::memberships(system, account.id).await?;
    let used_last = account.last_organisation_id;
    let (organisation_id, user_id) = rules::choose(&memberships, organisation_id, used_last)?;
    if used_last != Some(organisation_id) {
        system
            .write(organisation_id, Some(user_id), request_id, |tx| async move {
                store::remember_organisation(&tx, account.id, organisation_id).await
            })
            .await?;
    }
    open_session(identity, request_id, account.id, organisation_id, user_id).await
}

/// The next pair of tokens for a refresh token. A token that was used less than [`LEEWAY`] ago gives
/// the same refresh token again, as long as that is unused.
///
/// # Errors
/// INVALID for a token that is unknown or expired, or of a log-in that has ended. Any other second use
/// ends the log-in.
pub(crate) async fn refresh(
    identity: &Identity,
    request_id: &RequestId,
    token: &str,
) -> Result<LoggedIn, Failure> {
    let refused = || {
        let message = "This refresh token is not valid any more. Log in again.";
        Failure::user(ErrorCode::Invalid, "refreshToken", message)
    };
    let Inner { system, keys, .. } = &*identity.0;
    let token = MintedToken::parse(token).ok_or_else(refused)?;
    let organisation_id = token.organisation_id;
    let scope = system.token_scope(organisation_id, request_id.clone());
    let now = system.clock().now();
    let refreshed = scope.write(Permission::OwnAccount, |tx| async move {
        // Locked in this order: token, session. Every use of a token happens under its session's lock.
        let Some(known) = store::lock_token(&tx, token.id).await? else { return Ok(None) };
        let Some(session) = store::lock_session(&tx, known.login_session_id).await? else {
            return Ok(None);
        };
        let active = store::is_active(&tx, session.user_id).await?;
        if known.secret_hash != token.hash() || !session.is_open(now) || !active {
            return Ok(None);
        }
        let next = match known.used_at {
            None => {
                let next = keys.successor(&token)?;
                store::insert_token(&tx, next.id, session.id, next.hash()).await?;
                store::use_token(&tx, token.id, next.id, now).await?;
                Some(next)
            }
            Some(used_at) if now < used_at + LEEWAY => unused_successor(&tx, keys, &token, &known).await?,
            Some(_) => None,
        };
        if next.is_none() {
            store::end_session(&tx, session.id, store::TOKEN_REUSED, now).await?;
        }
        Ok(next.map(|next| (session.id, session.user_id, next)))
    });
    let (login_session_id, user_id, next) = refreshed.await?.ok_or_else(refused)?;
    let (roles, grants, time_zone) = (vec![], vec![], None);
    let user = UserSession { organisation_id, user_id, login_session_id, roles, grants, time_zone };
    describe(identity, request_id, user, next).await
}

/// The token that a used one gave, if nobody has used that in turn.
async fn unused_successor(
    tx: &Tx,
    keys: &TokenKeys,
    token: &MintedToken,
    known: &store::KnownToken,
) -> Result<Option<MintedToken>, Failure> {
    let Some(id) = known.successor_id else { return Ok(None) };
    // Without a lock: who shows the successor at the same time holds it, and waits for the session.
    match store::find_token(tx, id).await? {
        Some(successor) if successor.used_at.is_none() => {
            keys.known_successor(token, id, &successor.secret_hash)
        }
        _ => Ok(None),
    }
}

/// Ends the log-in session of this request and its refresh tokens.
///
/// # Errors
/// UNAUTHENTICATED where nobody is logged in.
pub(crate) async fn log_out(scope: &Scope) -> Result<(), Failure> {
    let login_session_id = scope.session().user()?.login_session_id;
    let now = scope.clock().now();
    scope
        .write(Permission::OwnAccount, |tx| async move {
            store::end_session(&tx, login_session_id, store::LOGGED_OUT, now).await
        })
        .await
}

/// The user of this session.
///
/// # Errors
/// UNAUTHENTICATED where nobody is logged in.
pub(crate) async fn me(scope: &Scope) -> Result<User, Failure> {
    scope.require(Permission::OwnAccount)?;
    let user_id = scope.session().user()?.user_id;
    store::user(scope, user_id).await?.ok_or_else(|| Refusal::Unauthenticated.into())
}

/// The session that an access token speaks of, if its log-in and its user still stand.
pub(crate) async fn load_session(
    scope: &Scope,
    organisation_id: Uuid,
    login_session_id: Uuid,
    user_id: Uuid,
) -> Result<UserSession, Failure> {
    let live = store::live_session(scope, login_session_id, user_id).await?;
    let (roles, time_zone) = live.ok_or(Refusal::Unauthenticated)?;
    let roles = roles.into_iter().map(|role| role.0).collect();
    let grants = Grants::of(scope, user_id).await?;
    let time_zone = time_zone.parse().ok();
    Ok(UserSession { organisation_id, user_id, login_session_id, roles, grants, time_zone })
}

/// Opens a log-in session of a user, and gives its first tokens.
pub(crate) async fn open_session(
    identity: &Identity,
    request_id: &RequestId,
    account_id: Uuid,
    organisation_id: Uuid,
    user_id: Uuid,
) -> Result<LoggedIn, Failure> {
    let system = &identity.0.system;
    let login_session_id = Uuid::now_v7();
    let user = UserSession {
        organisation_id,
        user_id,
        login_session_id,
        roles: vec![tenancy::Role::User],
        grants: vec![],
        time_zone: None,
    };
    let scope = system.user_scope(Arc::new(user), request_id.clone());
    let token = MintedToken::new(organisation_id);
    let (token_id, token_hash) = (token.id, token.hash());
    let expires_at = scope.clock().now() + SESSION;
    scope
        .write(Permission::OwnAccount, |tx| async move {
            store::insert_session(&tx, login_session_id, user_id, expires_at).await?;
            store::insert_token(&tx, token_id, login_session_id, token_hash).await
        })
        .await?;
    tracing::info!(%account_id, %organisation_id, %user_id, %request_id, "logged in");
    let user = UserSession {
        organisation_id,
        user_id,
        login_session_id,
        roles: vec![],
        grants: vec![],
        time_zone: None,
    };
    describe(identity, request_id, user, token).await
}

async fn describe(
    identity: &Identity,
    request_id: &RequestId,
    session: UserSession,
    refresh_token: MintedToken,
) -> Result<LoggedIn, Failure> {
    let Inner { system, keys, .. } = &*identity.0;
    let (access_token, expires_at) = keys.sign(&session, system.clock().now())?;
    let session = UserSession { roles: vec![tenancy::Role::User], ..session };
    let scope = system.user_scope(Arc::new(session), request_id.clone());
    let (user, organisation) = tokio::try_join!(me(&scope), organisation::current(&scope))?;
    let expires_at = Instant(expires_at);
    Ok(LoggedIn { access_token, expires_at, refresh_token: refresh_token.text(), user, organisation })
}
