use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{Context, InputObject, Object, Result, SimpleObject, TypeName};
use futures_util::FutureExt;
use listing::{GivenId, scope, semantic_non_null};
use tenancy::{Failure, UserError};

use super::LoggedIn;
use crate::{Identity, Organisation, User, mailed, organisation, verb::Verb};

/// The input of `signUp`.
#[derive(InputObject)]
pub struct SignUpInput {
    /// The organisation's name.
    pub organisation_name: String,
    /// Its short name, unique among all organisations: letters a-z, digits and hyphens. By default, it is
    /// derived from the name.
    pub slug: Option<String>,
    /// The e-mail that the admin logs in with.
    pub email: String,
    /// The admin's password: 8 to 256 characters. If the e-mail has an account already, its own.
    #[graphql(secret)]
    pub password: String,
    /// The admin's first name.
    pub first_name: String,
    /// The admin's last name.
    pub last_name: String,
}

/// The input of `logIn`.
#[derive(InputObject)]
pub(crate) struct LogInInput {
    /// The e-mail.
    email: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// The organisation to log in to. By default, the one used last, or else the oldest.
    organisation_id: Option<GivenId<Organisation>>,
}

/// The input of `refreshLogIn`.
#[derive(InputObject)]
pub(crate) struct RefreshLogInInput {
    /// The refresh token. It can be used once; repeated within 30 seconds, it returns the same tokens
    /// again. Any later use ends the log-in.
    #[graphql(secret)]
    refresh_token: String,
}

/// The result of a mutation that logs in.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub(crate) struct LogInPayload<V: Verb> {
    /// The log-in; null if there are errors.
    log_in: Option<LoggedIn>,
    /// Errors that the user can fix; empty on success.
    user_errors: Vec<UserError>,
    #[graphql(skip)]
    verb: PhantomData<fn() -> V>,
}

impl<V: Verb> TypeName for LogInPayload<V> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Payload", V::NAME).into()
    }
}

impl<V: Verb> LogInPayload<V> {
    pub(crate) fn of(outcome: Result<LoggedIn, Failure>) -> Result<Self, Failure> {
        let (log_in, user_errors) = Failure::mendable(outcome)?;
        Ok(Self { log_in, user_errors, verb: PhantomData })
    }
}

struct SignUp;
struct LogIn;
struct RefreshLogIn;

impl Verb for SignUp {
    const NAME: &'static str = "SignUp";
}
impl Verb for LogIn {
    const NAME: &'static str = "LogIn";
}
impl Verb for RefreshLogIn {
    const NAME: &'static str = "RefreshLogIn";
}

/// The result of `logOut`.
#[derive(SimpleObject)]
struct LogOutPayload {
    /// Errors that the user can fix; always empty.
    user_errors: Vec<UserError>,
}

// Every root field is nullable: one that fails must not take its neighbours with it.

#[derive(Default)]
pub(crate) struct LoginQuery;

#[Object]
impl LoginQuery {
    /// The user who is logged in.
    #[graphql(directive = semantic_non_null::apply(vec![0]))]
    async fn me(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(Some(super::me(scope(ctx)?).await?))
    }

    /// The organisation that the user is logged in to.
    #[graphql(directive = semantic_non_null::apply(vec![0]))]
    async fn organisation(&self, ctx: &Context<'_>) -> Result<Option<Organisation>> {
        Ok(Some(organisation::current(scope(ctx)?).await?))
    }
}

// Boxed: these run seldom, and must not make the future of every mutation as large as theirs.
#[derive(Default)]
pub(crate) struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Creates an organisation with its first admin, logs the admin in, and mails a link to verify the
    /// e-mail. No log-in is needed.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: SignUpInput,
    ) -> Result<Option<LogInPayload<SignUp>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let logged_in = super::sign_up(identity, request_id, input).boxed().await;
        if let Ok(LoggedIn { user, organisation, .. }) = &logged_in {
            let (organisation_id, user_id) = (organisation.id.uuid(), user.id.uuid());
            mailed::verify_newcomer(identity, request_id, organisation_id, user_id).boxed().await;
        }
        Ok(Some(LogInPayload::of(logged_in)?))
    }

    /// Logs in with e-mail and password.
    async fn log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: LogInInput,
    ) -> Result<Option<LogInPayload<LogIn>>> {
        let identity = ctx.data::<Identity>()?;
        let request_id = scope(ctx)?.request_id();
        let organisation_id = input.organisation_id.map(|id| id.uuid("organisationId")).transpose();
        let logged_in = match organisation_id {
            Ok(organisation_id) => {
                super::log_in(identity, request_id, &input.email, input.password, organisation_id)
                    .boxed()
                    .await
            }
            Err(failure) => Err(failure),
        };
        Ok(Some(LogInPayload::of(logged_in)?))
    }

    /// Exchanges a refresh token for the next pair of tokens. No access token is needed.
    async fn refresh_log_in(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: RefreshLogInInput,
    ) -> Result<Option<LogInPayload<RefreshLogIn>>> {
        let identity = ctx.data::<Identity>()?;
        let logged_in =
            super::refresh(identity, scope(ctx)?.request_id(), &input.refresh_token).boxed().await;
        Ok(Some(LogInPayload::of(logged_in)?))
    }

    /// Ends this log-in: its access and refresh tokens are no longer accepted.
    async fn log_out(&self, ctx: &Context<'_>) -> Result<Option<LogOutPayload>> {
        super::log_out(scope(ctx)?).await?;
        Ok(Some(LogOutPayload { user_errors: vec![] }))
    }
}
