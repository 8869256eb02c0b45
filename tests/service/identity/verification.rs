//! Verifying an e-mail: a sign-up asks for it, and it can be asked for again.

use chrono::TimeDelta;
use serde_json::json;
use tenancy::ManualClock;

use super::{NOT_GOOD, cell, email, newcomer, readdressed, reset, second_server, sign_up, verify, with};
use crate::harness::{Answer, Client, anonymous, link_in, mails_to, organisation, token_for, unique_email};

const PAGE: &str = "verify-email";

async fn request(client: &Client) -> Answer {
    client.run("mutation { requestEmailVerification { userErrors { code message field } } }", json!({})).await
}

async fn is_verified(client: &Client) -> bool {
    cell(&format!("SELECT email_verified_at IS NOT NULL FROM accounts WHERE email = '{}'", email(client)))
        .await
}

#[tokio::test]
async fn a_sign_up_asks_whether_the_e_mail_is_right() {
    let address = unique_email();
    let client = with(&anonymous(), sign_up(&anonymous(), newcomer(&address)).await.logged_in("signUp"));
    let [mail] = &mails_to(&address).await[..] else { panic!("one mail") };
    assert_eq!(mail.to.name, "Ada Lovelace");
    assert!(mail.text.contains("Acme & Sons") && mail.html.contains("Acme &amp; Sons"), "{mail:?}");
    assert_eq!(link_in(mail).path(), "/app/verify-email");
    assert!(!is_verified(&client).await);
    verify(&client, &token_for(PAGE, &address).await).await.ok("/data/verifyEmail");
    assert!(is_verified(&client).await);
    // Once it is, nobody asks any more.
    assert_eq!(request(&client).await.user_errors("/data/requestEmailVerification"), ["INVALID_TRANSITION "]);
    sign_up(&anonymous(), newcomer(&address)).await.logged_in("signUp");
    assert_eq!(mails_to(&address).await.len(), 1);
}

#[tokio::test]
async fn the_mail_can_be_asked_for_again_by_oneself_and_not_without_end() {
    let client = organisation().await;
    for _ in 0..4 {
        request(&client).await.ok("/data/requestEmailVerification");
    }
    assert_eq!(mails_to(email(&client)).await.len(), 5);
    assert_eq!(request(&client).await.user_errors("/data/requestEmailVerification"), ["LIMIT_REACHED "]);
    assert_eq!(request(&anonymous()).await.errors(), ["UNAUTHENTICATED"]);
    let tokens: Vec<_> =
        mails_to(email(&client)).await.iter().map(|mail| link_in(mail).to_string()).collect();
    let token = tokens[2].split_once("token=").unwrap().1;
    verify(&client, token).await.ok("/data/verifyEmail");
    assert!(is_verified(&client).await);
}

#[tokio::test]
async fn a_verification_is_good_once_for_three_days_and_for_itself_alone() {
    let clock = ManualClock::default();
    let there = second_server(&clock).await;
    let [client, late] = [there.signed_up().await, there.signed_up().await];
    let token = token_for(PAGE, email(&client)).await;
    clock.advance(TimeDelta::days(3) - TimeDelta::minutes(1));
    assert_eq!(reset(&client, &token, "a new password").await.user_errors("/data/resetPassword"), NOT_GOOD);
    for wrong in [readdressed(&token, &late), "x".to_owned(), String::new()] {
        assert_eq!(verify(&client, &wrong).await.user_errors("/data/verifyEmail"), NOT_GOOD, "{wrong}");
    }
    // Who comes second, after a scanner of mail, succeeds as well.
    for _ in 0..2 {
        verify(&client, &token).await.ok("/data/verifyEmail");
    }
    clock.advance(TimeDelta::minutes(2));
    let token = token_for(PAGE, email(&late)).await;
    assert_eq!(verify(&late, &token).await.user_errors("/data/verifyEmail"), NOT_GOOD);
    assert!(!is_verified(&late).await);
}

#[tokio::test]
async fn an_e_mail_that_the_account_has_no_more_is_not_verified() {
    let client = organisation().await;
    let token = token_for(PAGE, email(&client)).await;
    let changed = unique_email();
    let sql = format!(
        "UPDATE accounts SET email = '{changed}' WHERE email = '{}' RETURNING id::text",
        email(&client)
    );
    cell::<String>(&sql).await;
    assert_eq!(verify(&client, &token).await.user_errors("/data/verifyEmail"), NOT_GOOD);
    let verified = format!("SELECT email_verified_at IS NULL FROM accounts WHERE email = '{changed}'");
    assert!(cell::<bool>(&verified).await);
}
