use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{Context, InputObject, Object, Result, SimpleObject, TypeName};
use futures_util::FutureExt;
use listing::{Instant, scope};
use tenancy::{Failure, Role, UserError};

use super::{invitation, password_reset, verification};
use crate::{Identity, login::LogInPayload, verb::Verb};

/// Who is invited to become a user.
#[derive(InputObject)]
pub(super) struct InviteUserInput {
    /// Where the invitation goes, and what the user will log in with.
    pub(super) email: String,
    /// The first name.
    pub(super) first_name: String,
    /// The last name.
    pub(super) last_name: String,
    /// What the user may do; USER unless given.
    pub(super) roles: Option<Vec<Role>>,
}

/// Who accepts an invitation.
#[derive(InputObject)]
struct AcceptInvitationInput {
    /// The token of the link in the mail.
    #[graphql(secret)]
    token: String,
    /// A password of 8 to 256 characters. If the e-mail has an account already, its own.
    #[graphql(secret)]
    password: String,
}

/// Who has forgotten the password.
#[derive(InputObject)]
struct RequestPasswordResetInput {
    /// The e-mail that the account logs in with.
    email: String,
}

/// A new password.
#[derive(InputObject)]
struct ResetPasswordInput {
    /// The token of the link in the mail.
    #[graphql(secret)]
    token: String,
    /// The new password: 8 to 256 characters.
    #[graphql(secret)]
    password: String,
}

/// Whose e-mail it is.
#[derive(InputObject)]
struct VerifyEmailInput {
    /// The token of the link in the mail.
    #[graphql(secret)]
    token: String,
}

/// The answer of `inviteUser`.
#[derive(SimpleObject)]
struct InviteUserPayload {
    /// Until when the invitation can be accepted; null if there are errors.
    expires_at: Option<Instant>,
    /// What to mend; empty if the invitation is on its way.
    user_errors: Vec<UserError>,
}

/// The answer of a mutation that gives nothing back.
#[derive(SimpleObject)]
#[graphql(name_type)]
struct DonePayload<V: Verb> {
    /// What to mend; empty if it was done.
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
    /// Invites somebody by mail to become a user of this organisation. The link in it is good for 7
    /// days; inviting the same e-mail again makes the earlier link void.
    async fn invite_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is invited.")] input: InviteUserInput,
    ) -> Result<Option<InviteUserPayload>> {
        let invited = invitation::invite(ctx.data::<Identity>()?, scope(ctx)?, input).boxed().await;
        let (expires_at, user_errors) = Failure::mendable(invited)?;
        Ok(Some(InviteUserPayload { expires_at: expires_at.map(Instant), user_errors }))
    }

    /// Makes who was invited a user, and logs them in: with a new account, or with the one that the
    /// e-mail has. Open to everybody who has an invitation.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The invitation, and a password.")] input: AcceptInvitationInput,
    ) -> Result<Option<LogInPayload<AcceptInvitation>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let logged_in = invitation::accept(identity, request_id, &input.token, input.password).boxed().await;
        Ok(Some(LogInPayload::of(logged_in)?))
    }

    /// Mails a link to set a new password, good for one hour, if the e-mail is an active user's; the
    /// link mailed last is the only good one. The answer does not tell whether anything was mailed.
    /// Open to everybody.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose password.")] input: RequestPasswordResetInput,
    ) -> Result<Option<DonePayload<RequestPasswordReset>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let requested = password_reset::request(identity, request_id, &input.email).boxed().await;
        Ok(Some(DonePayload::of(requested)?))
    }

    /// Sets a new password and ends all log-ins of the account, in all its organisations. Open to
    /// everybody who was mailed a token for it.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token, and the password.")] input: ResetPasswordInput,
    ) -> Result<Option<DonePayload<ResetPassword>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let reset = password_reset::reset(identity, request_id, &input.token, input.password).boxed().await;
        Ok(Some(DonePayload::of(reset)?))
    }

    /// Mails a link to verify one's own e-mail, good for 3 days. A sign-up does so by itself.
    async fn request_email_verification(
        &self,
        ctx: &Context<'_>,
    ) -> Result<Option<DonePayload<RequestEmailVerification>>> {
        let requested = verification::request(ctx.data::<Identity>()?, scope(ctx)?).boxed().await;
        Ok(Some(DonePayload::of(requested)?))
    }

    /// Says that the e-mail of an account is its owner's own. Open to everybody who was mailed a token
    /// for it.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The token.")] input: VerifyEmailInput,
    ) -> Result<Option<DonePayload<VerifyEmail>>> {
        let (identity, request_id) = (ctx.data::<Identity>()?, scope(ctx)?.request_id());
        let verified = verification::verify(identity, request_id, &input.token).boxed().await;
        Ok(Some(DonePayload::of(verified)?))
    }
}
