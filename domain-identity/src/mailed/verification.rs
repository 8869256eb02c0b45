//! Finding out whether an e-mail is its account's own.

use std::sync::Arc;

use tenancy::{ErrorCode, Failure, Permission, Refusal, RequestId, Scope, UserSession};
use uuid::Uuid;

use super::{Purpose, Shown, mail_to_user, shown, store, unusable, use_up};
use crate::{Identity, token::MintedToken};

/// Asks somebody who has just signed up. That nothing can be mailed does not undo the sign-up: the
/// mail can be asked for again.
pub(crate) async fn verify_newcomer(
    identity: &Identity,
    request_id: &RequestId,
    organisation_id: Uuid,
    user_id: Uuid,
) {
    let user = UserSession {
        organisation_id,
        user_id,
        login_session_id: Uuid::nil(),
        roles: vec![],
        grants: vec![],
        time_zone: None,
    };
    let scope = identity.0.system.user_scope(Arc::new(user), request_id.clone());
    match request(identity, &scope).await {
        // Verified already, by an account of longer standing.
        Ok(()) | Err(Failure::User(_)) => {}
        Err(failure) => tracing::warn!(%request_id, ?failure, "an e-mail verification was not mailed"),
    }
}

/// Mails the link to who is logged in.
pub(super) async fn request(identity: &Identity, scope: &Scope) -> Result<(), Failure> {
    scope.require(Permission::OwnAccount)?;
    let user_id = scope.session().user()?.user_id;
    let account_id = store::account_id(scope, user_id).await?.ok_or(Refusal::Unauthenticated)?;
    if store::is_verified(&identity.0.system, account_id).await? {
        let message = "This e-mail is verified already.";
        return Err(Failure::user(ErrorCode::InvalidTransition, "", message));
    }
    let organisation_id = scope.session().organisation_id()?;
    scope
        .write(Permission::OwnAccount, |tx| async move {
            let person = store::person(&tx, user_id).await?.ok_or(Refusal::Unauthenticated)?;
            mail_to_user(&tx, &identity.0, organisation_id, &person, Purpose::EmailVerification)
                .await
                .map(drop)
        })
        .await
}

/// Whether this token has verified its account's e-mail before: scanners of mail follow links first,
/// and the user who comes second succeeds as well.
async fn has_verified(identity: &Identity, request_id: &RequestId, text: &str) -> Result<bool, Failure> {
    let system = &identity.0.system;
    let Some(token) = MintedToken::parse(text) else { return Ok(false) };
    let scope = system.token_scope(token.organisation_id, request_id.clone());
    let used = |known: &store::Known| {
        known.purpose == Purpose::EmailVerification.name()
            && known.secret_hash == token.hash()
            && known.used_at.is_some()
    };
    match store::find(&scope, token.id).await?.filter(used) {
        Some(store::Known { account_id: Some(account_id), email, .. }) => {
            store::is_verified_as(system, account_id, &email).await
        }
        _ => Ok(false),
    }
}

/// The e-mail is the account's own. A repetition succeeds too.
pub(super) async fn verify(identity: &Identity, request_id: &RequestId, text: &str) -> Result<(), Failure> {
    match use_token(identity, request_id, text).await {
        Err(Failure::User(_)) if has_verified(identity, request_id, text).await? => Ok(()),
        verified => verified,
    }
}

async fn use_token(identity: &Identity, request_id: &RequestId, text: &str) -> Result<(), Failure> {
    let system = &identity.0.system;
    let Shown { token, .. } = shown(system, request_id, text, Purpose::EmailVerification).await?;
    let now = system.clock().now();
    let write = system.write(token.organisation_id, None, request_id, |tx| async move {
        let known = use_up(&tx, &token, Purpose::EmailVerification, now).await?;
        let account_id = known.account_id.ok_or_else(unusable)?;
        // Not, if it has another e-mail by now.
        if store::verify(&tx, account_id, &known.email, now).await? { Ok(()) } else { Err(unusable()) }
    });
    write.await
}
