//! What the service mails, read where it lies until it is sent: in the queue.

use events::mail::{Mail, MailSettings};
use serde_json::{Value, json};
use url::Url;

use super::{Client, server, superuser, unique_email};

/// Where links in mails lead.
const FRONT_END: &str = "https://front-end.example/app";

/// Mail that leaves to nowhere.
pub(crate) fn mail_settings() -> MailSettings {
    MailSettings {
        smtp_url: None,
        from: "Tessera <no-reply@tessera.example>".to_owned(),
        folder: None,
        public_url: FRONT_END.parse().unwrap(),
    }
}

/// The mails to an e-mail that are queued on the shared database, oldest first.
pub(crate) async fn mails_to(email: &str) -> Vec<Mail> {
    let query =
        "SELECT payload::text FROM jobs WHERE kind = 'mail' AND payload->'to'->>'email' = $1 ORDER BY id";
    let rows = superuser(server().addresses.database()).await.query(query, &[&email]).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
}

/// The link in a mail: the same in the text and in the HTML.
pub(crate) fn link_in(mail: &Mail) -> Url {
    let link = mail.text.split_whitespace().find(|word| word.starts_with(FRONT_END));
    let link: Url = link.unwrap_or_else(|| panic!("no link in {}", mail.text)).parse().unwrap();
    assert!(mail.html.contains(link.query().unwrap()), "{}", mail.html);
    link
}

/// The token of the last mail to an e-mail whose link leads to this page.
pub(crate) async fn token_for(page: &str, email: &str) -> String {
    let links: Vec<Url> = mails_to(email).await.iter().map(link_in).collect();
    let link = links.iter().rfind(|link| link.path() == format!("/app/{page}"));
    let link = link.unwrap_or_else(|| panic!("no link to {page} for {email} in {links:?}"));
    link.query_pairs().find(|(name, _)| name == "token").unwrap().1.into_owned()
}

/// The log-in of a client, an admin, with the token that a mutation asks for, if it asks for one.
pub(crate) async fn with_tokens(client: &Client, mutation: &str) -> Value {
    let token = match mutation {
        "acceptInvitation" => {
            let email = unique_email();
            client.invite(&email).await;
            token_for("accept-invitation", &email).await
        }
        "resetPassword" => {
            // A colleague's: a reset ends all log-ins of its account.
            let colleague = client.colleague(&["USER"]).await;
            let email = colleague.log_in["user"]["email"].as_str().unwrap();
            let request = "mutation ($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { \
                           userErrors { code message field } } }";
            client.mutate(request, json!({ "email": email })).await.ok("/data/requestPasswordReset");
            token_for("reset-password", email).await
        }
        "verifyEmail" => token_for("verify-email", client.log_in["user"]["email"].as_str().unwrap()).await,
        _ => return client.log_in.clone(),
    };
    let mut log_in = client.log_in.clone();
    log_in["tokens"] = json!({ mutation: token });
    log_in
}
