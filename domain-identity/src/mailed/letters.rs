//! The words of the mails, and the links in them.

use events::mail::{Mail, Recipient, Template};
use serde::Serialize;
use tenancy::Failure;
use url::Url;

use super::{Purpose, rules::in_words, store::Person};
use crate::token::MintedToken;

const INVITATION: Template = Template {
    name: "invitation",
    subject: "{{ inviter }} invites you to {{ organisation }}",
    text: include_str!("../../templates/invitation.txt"),
    html: include_str!("../../templates/invitation.html"),
};

const PASSWORD_RESET: Template = Template {
    name: "password_reset",
    subject: "Set a new password",
    text: include_str!("../../templates/password_reset.txt"),
    html: include_str!("../../templates/password_reset.html"),
};

const EMAIL_VERIFICATION: Template = Template {
    name: "email_verification",
    subject: "Is this your e-mail?",
    text: include_str!("../../templates/email_verification.txt"),
    html: include_str!("../../templates/email_verification.html"),
};

/// What the templates name.
#[derive(Serialize)]
struct Values<'a> {
    /// Who reads it.
    name: &'a str,
    organisation: &'a str,
    /// Who invites; empty where nobody does.
    inviter: &'a str,
    link: String,
    good_for: String,
}

/// The pages of the front end that links lead to.
impl Purpose {
    fn page(self) -> &'static str {
        match self {
            Self::Invitation => "accept-invitation",
            Self::PasswordReset => "reset-password",
            Self::EmailVerification => "verify-email",
        }
    }
}

/// The link that a token travels in.
fn link(public_url: &Url, purpose: Purpose, token: &MintedToken) -> String {
    let mut url = public_url.clone();
    // An address of HTTP always has a path.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(purpose.page());
    }
    url.query_pairs_mut().append_pair("token", &token.text());
    url.into()
}

/// An invitation, by a user of the organisation.
pub(super) fn invitation(
    public_url: &Url,
    inviter: &Person,
    to: Recipient,
    token: &MintedToken,
) -> Result<Mail, Failure> {
    let name = to.name.clone();
    let values = Values {
        name: &name,
        organisation: &inviter.organisation,
        inviter: &inviter.name,
        link: link(public_url, Purpose::Invitation, token),
        good_for: in_words(Purpose::Invitation.good_for()),
    };
    INVITATION.render(to, values)
}

/// What a user's own account is asked.
pub(super) fn to_account(
    public_url: &Url,
    purpose: Purpose,
    person: &Person,
    token: &MintedToken,
) -> Result<Mail, Failure> {
    let template = match purpose {
        Purpose::Invitation => INVITATION,
        Purpose::PasswordReset => PASSWORD_RESET,
        Purpose::EmailVerification => EMAIL_VERIFICATION,
    };
    let values = Values {
        name: &person.name,
        organisation: &person.organisation,
        inviter: "",
        link: link(public_url, purpose, token),
        good_for: in_words(purpose.good_for()),
    };
    template.render(Recipient { name: person.name.clone(), email: person.email.clone() }, values)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn person() -> Person {
        Person {
            account_id: Uuid::nil(),
            name: "Ada & Ben".to_owned(),
            email: "ada@example.org".to_owned(),
            organisation: "Harbour <b>".to_owned(),
        }
    }

    #[test]
    fn a_link_leads_below_the_public_address_whatever_it_ends_with() {
        let token = MintedToken::new(Uuid::nil());
        for (base, start) in [
            ("https://example.org", "https://example.org/verify-email?token="),
            ("https://example.org/", "https://example.org/verify-email?token="),
            ("https://example.org/app", "https://example.org/app/verify-email?token="),
            ("https://example.org/app/", "https://example.org/app/verify-email?token="),
        ] {
            let link = link(&Url::parse(base).unwrap(), Purpose::EmailVerification, &token);
            assert_eq!(link, format!("{start}{}", token.text()));
        }
    }

    #[test]
    fn every_mail_can_be_written_and_says_what_it_has_to() {
        let (public_url, token) = (Url::parse("https://example.org").unwrap(), MintedToken::new(Uuid::nil()));
        let to = || Recipient { name: "Cyd".to_owned(), email: "cyd@example.org".to_owned() };
        let mails = [
            (invitation(&public_url, &person(), to(), &token).unwrap(), "accept-invitation", "7 days"),
            (
                to_account(&public_url, Purpose::PasswordReset, &person(), &token).unwrap(),
                "reset-password",
                "one hour",
            ),
            (
                to_account(&public_url, Purpose::EmailVerification, &person(), &token).unwrap(),
                "verify-email",
                "3 days",
            ),
        ];
        for (mail, page, good_for) in mails {
            let link = format!("https://example.org/{page}?token={}", token.text());
            for said in [link.as_str(), good_for, "Harbour <b>"] {
                assert!(mail.text.contains(said), "{said} in {}", mail.text);
            }
            assert!(
                mail.html.contains(&token.text()) && mail.html.contains("Harbour &lt;b&gt;"),
                "{}",
                mail.html
            );
            assert!(mail.html.contains(good_for), "{}", mail.html);
        }
    }
}
