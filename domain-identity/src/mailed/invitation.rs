//! Inviting somebody to become a user, and accepting.

use chrono::{DateTime, TimeDelta, Utc};
use events::mail::{self, Recipient};
use listing::Named;
use tenancy::{ErrorCode, Failure, Permission, Refusal, RequestId, Scope};
use uuid::Uuid;

use super::{
    MAX_INVITATIONS, Purpose, Shown, graphql::InviteUserInput, issue, letters, rules, shown, store, use_up,
};
use crate::{
    Identity,
    login::{self, Claimed, LoggedIn, store::NewUser},
    token::MintedToken,
};

/// Mails an invitation, and answers until when it is good. Earlier ones to the same e-mail are void.
pub(super) async fn invite(
    identity: &Identity,
    scope: &Scope,
    input: InviteUserInput,
) -> Result<DateTime<Utc>, Failure> {
    scope.require(Permission::ManageUsers)?;
    let (InviteUserInput { email, first_name, last_name, .. }, roles) = rules::check_invitation(input)?;
    let (organisation_id, user_id) = (scope.session().organisation_id()?, scope.session().user()?.user_id);
    let now = scope.clock().now();
    let write = scope.write(Permission::ManageUsers, |tx| async move {
        let inviter = store::person(&tx, user_id).await?.ok_or(Refusal::Unauthenticated)?;
        if store::is_user(&tx, &email).await? {
            let message = "Somebody with this e-mail is a user of the organisation already.";
            return Err(Failure::user(ErrorCode::AlreadyExists, "email", message));
        }
        let today = now - TimeDelta::days(1);
        if store::count_all_since(&tx, Purpose::Invitation.name(), today).await? >= MAX_INVITATIONS {
            let message = format!("An organisation invites at most {MAX_INVITATIONS} a day.");
            return Err(Failure::user(ErrorCode::LimitReached, "", message));
        }
        store::expire(&tx, Purpose::Invitation.name(), &email, now).await?;
        let token = MintedToken::new(organisation_id);
        let to = Recipient { name: format!("{first_name} {last_name}"), email };
        let whom = store::Whom::Newcomer(first_name, last_name, roles.into_iter().map(Named).collect());
        let expires_at = issue(&tx, &token, Purpose::Invitation, &to.email, whom, now).await?;
        mail::send(&tx, letters::invitation(&identity.0.public_url, &inviter, to, &token)?).await?;
        Ok(expires_at)
    });
    write.await
}

/// Makes who was invited a user and logs them in: with a new account, or with the one that the
/// e-mail has if the password is its own.
pub(super) async fn accept(
    identity: &Identity,
    request_id: &RequestId,
    text: &str,
    password: String,
) -> Result<LoggedIn, Failure> {
    let system = &identity.0.system;
    let Shown { token, known } = shown(system, request_id, text, Purpose::Invitation).await?;
    rules::check_password(&password)?;
    let Claimed { account_id, new_hash, .. } = login::claim_account(identity, &known.email, password).await?;
    let (organisation_id, user_id, now) = (token.organisation_id, Uuid::now_v7(), system.clock().now());
    system
        .write(organisation_id, Some(user_id), request_id, |tx| async move {
            let known = use_up(&tx, &token, Purpose::Invitation, now).await?;
            if let Some(password_hash) = new_hash {
                login::store::insert_account(&tx, account_id, &known.email, &password_hash).await?;
            }
            store::verify(&tx, account_id, &known.email, now).await?;
            login::store::insert_user(&tx, invited(known, user_id, account_id)?).await?;
            login::store::remember_organisation(&tx, account_id, organisation_id).await
        })
        .await?;
    login::open_session(identity, request_id, account_id, organisation_id, user_id).await
}

fn invited(known: store::Known, id: Uuid, account_id: Uuid) -> Result<NewUser, Failure> {
    let store::Known { email, first_name, last_name, roles, created_by, .. } = known;
    let (Some(first_name), Some(last_name), Some(roles)) = (first_name, last_name, roles) else {
        return Err(Failure::internal("an invitation that names nobody"));
    };
    let name = format!("{first_name} {last_name}");
    Ok(NewUser { id, account_id, name, first_name, last_name, email, roles, created_by })
}
