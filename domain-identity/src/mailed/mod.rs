//! What is asked of people by mail: to accept an invitation, to set a new password, to verify an
//! e-mail.
//!
//! Each mail holds a link with a token, which shows that its holder reads that e-mail. A token is
//! good once, for one purpose and for a while. It names its organisation and is looked up inside
//! it; and whatever is wrong with one, the answer is the same.

mod graphql;
mod invitation;
mod letters;
mod password_reset;
mod rules;
mod store;
mod verification;

use chrono::{DateTime, TimeDelta, Utc};
use events::mail;
use tenancy::{ErrorCode, Failure, RequestId, SystemDoor, Tx};
use uuid::Uuid;

pub(crate) use graphql::MailedMutation;
pub(crate) use verification::verify_newcomer;

use crate::{identity::Inner, token::MintedToken};

/// How long an invitation is good.
const INVITATION: TimeDelta = TimeDelta::days(7);
/// How long a password can be reset: who holds the token holds the account.
const PASSWORD_RESET: TimeDelta = TimeDelta::hours(1);
/// How long an e-mail can be verified.
const EMAIL_VERIFICATION: TimeDelta = TimeDelta::days(3);
/// How many mails of one purpose an organisation sends to one e-mail within an hour, so that nobody
/// floods a stranger through us.
const MAX_AN_HOUR: i64 = 5;

/// How many invitations an organisation sends within a day.
const MAX_INVITATIONS: i64 = 200;

/// What a token is for; it is good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Invitation,
    PasswordReset,
    EmailVerification,
}

impl Purpose {
    /// As the table spells it.
    fn name(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
            Self::PasswordReset => "PASSWORD_RESET",
            Self::EmailVerification => "EMAIL_VERIFICATION",
        }
    }

    fn good_for(self) -> TimeDelta {
        match self {
            Self::Invitation => INVITATION,
            Self::PasswordReset => PASSWORD_RESET,
            Self::EmailVerification => EMAIL_VERIFICATION,
        }
    }
}

/// A token as somebody shows it, and what is known of it.
struct Shown {
    token: MintedToken,
    known: store::Known,
}

/// Looks a token up inside its organisation, and changes nothing: what costs more comes after.
async fn shown(
    system: &SystemDoor,
    request_id: &RequestId,
    text: &str,
    purpose: Purpose,
) -> Result<Shown, Failure> {
    let token = MintedToken::parse(text).ok_or_else(unusable)?;
    let scope = system.token_scope(token.organisation_id, request_id.clone());
    let known = usable(store::find(&scope, token.id).await?, &token, purpose, scope.clock().now())?;
    Ok(Shown { token, known })
}

/// Uses a token up. Of two who show it at once the second is too late.
async fn use_up(
    tx: &Tx,
    token: &MintedToken,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<store::Known, Failure> {
    let known = usable(store::lock(tx, token.id).await?, token, purpose, now)?;
    store::mark_used(tx, token.id, now).await?;
    Ok(known)
}

fn usable(
    known: Option<store::Known>,
    token: &MintedToken,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> Result<store::Known, Failure> {
    let good = |known: &store::Known| {
        known.purpose == purpose.name()
            && known.secret_hash == token.hash()
            && known.used_at.is_none()
            && now < known.expires_at
    };
    known.filter(good).ok_or_else(unusable)
}

/// One answer for every token that is not good, so that it tells nothing.
fn unusable() -> Failure {
    let message = "This link is not good any more: it was used, or its time is over. Ask for a new one.";
    Failure::user(ErrorCode::Invalid, "token", message)
}

/// Mails a token to a user's own account, and answers its id.
async fn mail_to_user(
    tx: &Tx,
    means: &Inner,
    organisation_id: Uuid,
    person: &store::Person,
    purpose: Purpose,
) -> Result<Uuid, Failure> {
    let token = MintedToken::new(organisation_id);
    let whom = store::Whom::Account(person.account_id);
    issue(tx, &token, purpose, &person.email, whom, means.system.clock().now()).await?;
    mail::send(tx, letters::to_account(&means.public_url, purpose, person, &token)?).await?;
    Ok(token.id)
}

/// Keeps a new token, unless its e-mail has got enough of them.
async fn issue(
    tx: &Tx,
    token: &MintedToken,
    purpose: Purpose,
    email: &str,
    whom: store::Whom,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Failure> {
    if store::count_since(tx, purpose.name(), email, now - TimeDelta::hours(1)).await? >= MAX_AN_HOUR {
        let message = "This e-mail has got several such mails within the hour. Wait, or look into its spam.";
        return Err(Failure::user(ErrorCode::LimitReached, "", message));
    }
    let expires_at = now + purpose.good_for();
    store::insert(tx, store::NewToken::new(token, purpose.name(), email, whom, expires_at)).await?;
    Ok(expires_at)
}

#[cfg(test)]
mod tests {
    use tenancy::Clock;

    use super::*;

    #[test]
    fn a_token_is_good_for_one_purpose_once_and_until_its_time_is_over() {
        let now = Clock::system().now();
        let token = MintedToken::new(Uuid::now_v7());
        let good = || store::Known {
            purpose: "INVITATION".to_owned(),
            account_id: None,
            email: "ada@example.org".to_owned(),
            secret_hash: token.hash(),
            first_name: None,
            last_name: None,
            roles: None,
            created_by: None,
            expires_at: now + TimeDelta::seconds(1),
            used_at: None,
        };
        let is_usable = |known| usable(known, &token, Purpose::Invitation, now).is_ok();
        assert!(is_usable(Some(good())));
        assert!(!is_usable(None));
        assert!(!is_usable(Some(store::Known { purpose: "PASSWORD_RESET".to_owned(), ..good() })));
        assert!(!is_usable(Some(store::Known { secret_hash: vec![], ..good() })));
        assert!(!is_usable(Some(store::Known { used_at: Some(now), ..good() })));
        assert!(!is_usable(Some(store::Known { expires_at: now, ..good() })));
    }
}
