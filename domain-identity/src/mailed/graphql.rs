use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{Context, InputObject, Object, Result, SimpleObject, TypeName};
use futures_util::FutureExt;
use listing::{Instant, scope};
use tenancy::{Failure, Role, UserError};

use super::{invitation, password_reset, verification};
use crate::{Identity, login::LogInPayload, verb::Verb};

/// The input of `inviteUser`.
#[derive(InputObject)]
pub(super) struct InviteUserInput {
    /// The e-mail that the invitation is sent to, and that the user will log in with.
    pub(super) email: String,
    /// The first name.
    pub(super) first_name: String,
    /// The last name.
    pub(super) last_name: String,
    /// The roles of the user. By default, USER.
    pub(super) roles: Option<Vec<Role>>,
}

/// The input of `acceptInvitation`.
#[derive(InputObject)]
struct AcceptInvitationInput {
    /// The token of the link in the mail.
    #[graphql(secret)]
    token: String,
    /// A password of 8 to 256 characters. If the e-mail has an account already, its own.
    #[graphql(secret)]
    password: String,
}

/// The input of `requestPasswordReset`.
#[derive(InputObject)]
struct RequestPasswordResetInput {
    /// The e-mail that the account logs in with.
    email: String,
}

/// The input of `resetPassword`.
#[derive(InputObject)]
struct ResetPasswordInput {
    /// The token of the link in the mail.
    #[graphql(secret)]
    token: String,
    /// The new password: 8 to 256 characters.
    #[graphql(secret)]
    password: String,
}

/// The input of `verifyEmail`.
#[derive(InputObject)]
struct VerifyEmailInput {
    /// The token of the link in the mail.
    #[graphql(secret)]
    token: String,
}

/// The result of `inviteUser`.
#[derive(SimpleObject)]
struct InviteUserPayload {
    /// Until when the invitation can be accepted; null if there are errors.
    expires_at: Option<Instant>,
    /// Errors that the user can fix; empty on success.
    user_errors: Vec<UserError>,
}

/// The result of a mutation that returns nothing.
#[derive(SimpleObject)]
#[graphql(name_type)]
struct DonePayload<V: Verb> {
    /// Errors that the user can fix; empty on success.
    user_errors: Vec<UserError>,
    #[graphql(skip)]
    verb: PhantomData<fn() -> V>,
}

impl<V: Verb> TypeName for DonePayload<V> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Payload", V::NAME).into()
    }
}

impl<V: Verb> DonePayload<V> {
    fn of(outcome: Result<(), Failure>) -> Result<Self, Failure> {
        let (_, user_errors) = Failure::mendable(outcome)?;
        Ok(Self { user_errors, verb: PhantomData })
    }
}

struct AcceptInvitation;
struct RequestPasswordReset;
struct ResetPassword;
struct RequestEmailVerification;
struct VerifyEmail;

impl Verb for AcceptInvitation {
    const NAME: &'static str = "AcceptInvitation";
}
impl Verb for RequestPasswordReset {
    const NAME: &'static str = "RequestPasswordReset";
}
impl Verb for ResetPassword {
    const NAME: &'static str = "ResetPassword";
}
impl Verb for RequestEmailVerification {
    const NAME: &'static str = "RequestEmailVerification";
}
impl Verb for VerifyEmail {
    const NAME: &'static str = "VerifyEmail";
}

// Boxed and nullable, for the reasons that stand at LoginMutation.
#[derive(Default)]
pub(crate) struct MailedMutation;

#[Object]
impl MailedMutation {
    /// Invites somebody by mail to become a user of the organisation. The link is valid for 7 days; a new
    /// invitation of the same e-mail replaces it.
    async fn invite_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: InviteUserInput,
    ) -> Result<Option<InviteUserPayload>> {
        let invited = invitation::invite(ctx.data::<Identity>()?, scope(ctx)?, input).boxed().await;
        let (expires_at, user_errors) = Failure::mendable(invited)?;
        Ok(Some(InviteUserPayload { expires_at: expires_at.map(Instant), user_errors }))
    }

    /// Accepts an invitation: creates the user, with a new account or the one that the e-mail has, and logs
    /// in. No log-in is needed.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: AcceptInvitationInput,
    ) -> Result<Option<LogInPayload<AcceptInvitation>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let logged_in = invitation::accept(identity, request_id, &input.token, input.password).boxed().await;
        Ok(Some(LogInPayload::of(logged_in)?))
    }

    /// Mails a link to set a new password, valid for one hour, if the e-mail belongs to an active user. Only
    /// the link mailed last is valid. The response does not tell whether anything was mailed. No log-in
    /// is needed.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: RequestPasswordResetInput,
    ) -> Result<Option<DonePayload<RequestPasswordReset>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let requested = password_reset::request(identity, request_id, &input.email).boxed().await;
        Ok(Some(DonePayload::of(requested)?))
    }

    /// Sets a new password with the token from the mail, and ends all log-ins of the account in all its
    /// organisations. No log-in is needed.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: ResetPasswordInput,
    ) -> Result<Option<DonePayload<ResetPassword>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let reset = password_reset::reset(identity, request_id, &input.token, input.password).boxed().await;
        Ok(Some(DonePayload::of(reset)?))
    }

    /// Mails the user a link to verify the e-mail, valid for 3 days. A sign-up does so by itself.
    async fn request_email_verification(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<DonePayload<RequestEmailVerification>>> {
        let requested = verification::request(ctx.data::<Identity>()?, scope(ctx)?).boxed().await;
        Ok(Some(DonePayload::of(requested)?))
    }

    /// Verifies the e-mail of an account with the token from the mail. No log-in is needed. A repetition
    /// succeeds too.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The input.")] input: VerifyEmailInput,
    ) -> Result<Option<DonePayload<VerifyEmail>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let verified = verification::verify(identity, request_id, &input.token).boxed().await;
        Ok(Some(DonePayload::of(verified)?))
    }
}
