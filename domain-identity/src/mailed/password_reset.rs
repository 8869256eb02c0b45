//! A new password for who has forgotten the old one.

use std::time::Duration;

use futures_util::{FutureExt, join};
use listing::Checks;
use tenancy::{Failure, Permission, RequestId};
use tokio::time::sleep;

use super::{Purpose, Shown, mail_to_user, rules, shown, store, unusable, use_up};
use crate::{
    Identity,
    login::{
        self,
        store::{Account, account, end_sessions, memberships},
    },
};

/// When a request for a reset is answered, whatever it led to: several times as long as the work for
/// a known e-mail takes, so that nobody can measure who has an account.
const ANSWERED_AFTER: Duration = Duration::from_millis(250);

/// Mails a link to set a new password, if the e-mail belongs to an active user. The answer does not
/// tell: it is the same for every e-mail and comes after the same time.
pub(super) async fn request(identity: &Identity, request_id: &RequestId, email: &str) -> Result<(), Failure> {
    let email = email.trim();
    let mut checks = Checks::default();
    checks.email("email", Some(email));
    checks.finish()?;
    let work = async {
        // This fails for every e-mail alike; what fails after it would tell that there is an account.
        if let Some(account) = account(&identity.0.system, email).await?
            && let Err(failure) = send(identity, request_id, &account).await
        {
            tracing::warn!(%request_id, ?failure, "a password reset was not mailed");
        }
        Ok(())
    };
    join!(work.boxed(), sleep(ANSWERED_AFTER)).0
}

/// The token lies in the organisation that the account would log in to.
async fn send(identity: &Identity, request_id: &RequestId, account: &Account) -> Result<(), Failure> {
    let system = &identity.0.system;
    let memberships = memberships(system, account.id).await?;
    let chosen = login::rules::choose(&memberships, None, account.last_organisation_id);
    // No active user: nothing to log in to.
    let Ok((organisation_id, user_id)) = chosen else { return Ok(()) };
    let scope = system.token_scope(organisation_id, request_id.clone());
    let mailed = scope.write(Permission::OwnAccount, |tx| async move {
        let Some(person) = store::person(&tx, user_id).await? else { return Ok(None) };
        let purpose = Purpose::PasswordReset;
        mail_to_user(&tx, &identity.0, organisation_id, &person, purpose).await.map(Some)
    });
    // Last, so that a request which mails nothing leaves the token that was mailed before as it was.
    let Some(token_id) = mailed.await? else { return Ok(()) };
    let admit = |tx| async move { store::admit_reset(&tx, account.id, organisation_id, token_id).await };
    system.write(organisation_id, None, request_id, admit).await
}

/// Sets the password and ends every log-in of the account. Only the token that was mailed last may.
pub(super) async fn reset(
    identity: &Identity,
    request_id: &RequestId,
    text: &str,
    password: String,
) -> Result<(), Failure> {
    let system = &identity.0.system;
    let Shown { token, .. } = shown(system, request_id, text, Purpose::PasswordReset).await?;
    rules::check_password(&password)?;
    let hash = identity.0.hasher.hash(password).await?;
    let now = system.clock().now();
    let write = system.write(token.organisation_id, None, request_id, |tx| async move {
        let known = use_up(&tx, &token, Purpose::PasswordReset, now).await?;
        let account_id = known.account_id.ok_or_else(unusable)?;
        if !store::set_password(&tx, account_id, &token, &known.email, &hash, now).await? {
            return Err(unusable());
        }
        end_sessions(&tx, account_id, now).await
    });
    write.await
}
