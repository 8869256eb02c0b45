//! A forgotten password: asking for a new one tells nothing, and setting it ends what was open.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde_json::json;
use sha2::{Digest, Sha256};
use tenancy::ManualClock;

use super::{
    NOT_GOOD, assert_let_in, cell, change_user, email, log_in, newcomer, readdressed, refresh, request_reset,
    reset, second_server, shut_out, sign_up, verify, with,
};
use crate::harness::{
    Client, PASSWORD, connect, link_in, mails_to, organisation, server, token_for, unique_email,
};

const NEW: &str = "another horse battery";
const PAGE: &str = "reset-password";

/// The token of a reset that this client asks for.
async fn token(client: &Client) -> String {
    request_reset(client, email(client)).await.ok("/data/requestPasswordReset");
    token_for(PAGE, email(client)).await
}

/// How many resets were mailed to this client.
async fn resets(client: &Client) -> usize {
    let is_reset = |mail: &&events::mail::Mail| link_in(mail).path() == format!("/app/{PAGE}");
    mails_to(email(client)).await.iter().filter(is_reset).count()
}

#[tokio::test]
async fn a_reset_sets_the_password_and_ends_every_log_in_of_the_account_everywhere() {
    let first = organisation().await;
    let second = with(&first, sign_up(&first, newcomer(email(&first))).await.logged_in("signUp"));
    let again = first.log_in_as(email(&first)).await;
    let colleague = first.colleague(&["STAFF"]).await;
    for client in [&first, &second, &again, &colleague] {
        assert_let_in(client).await;
    }
    let token = token(&first).await;
    for client in [&first, &second, &again] {
        assert_let_in(client).await;
    }
    reset(&first, &token, NEW).await.ok("/data/resetPassword");
    for client in [&first, &second, &again] {
        shut_out(client).await;
        let answer = refresh(client, &client.log_in["refreshToken"]).await;
        assert_eq!(answer.user_errors("/data/refreshLogIn"), ["INVALID refreshToken"]);
    }
    assert_let_in(&colleague).await;
    let old = json!({ "email": email(&first), "password": PASSWORD });
    assert_eq!(log_in(&first, old).await.user_errors("/data/logIn"), ["NOT_ALLOWED "]);
    let new = json!({ "email": email(&first), "password": NEW });
    assert_let_in(&with(&first, log_in(&first, new).await.logged_in("logIn"))).await;
    let verified =
        format!("SELECT email_verified_at IS NOT NULL FROM accounts WHERE email = '{}'", email(&first));
    assert!(cell::<bool>(&verified).await);
    for client in [&first, &second] {
        let ended = format!(
            "SELECT count(*) FROM audit_entries WHERE organisation_id = '{}' AND entity = 'login_sessions'
             AND after->>'end_reason' = 'PASSWORD_RESET'",
            client.organisation_id()
        );
        assert!(cell::<i64>(&ended).await > 0);
    }
}

#[tokio::test]
async fn of_all_tokens_of_an_account_wherever_they_lie_the_last_is_good() {
    let first = organisation().await;
    // In the first organisation, then in the one that was used last.
    let before = token(&first).await;
    let second = with(&first, sign_up(&first, newcomer(email(&first))).await.logged_in("signUp"));
    let after = token(&second).await;
    assert_ne!(readdressed(&before, &second), before);
    assert_eq!(readdressed(&after, &second), after);
    assert_eq!(reset(&first, &before, PASSWORD).await.user_errors("/data/resetPassword"), NOT_GOOD);
    reset(&first, &after, NEW).await.ok("/data/resetPassword");
    for token in [&before, &after] {
        assert_eq!(reset(&first, token, PASSWORD).await.user_errors("/data/resetPassword"), NOT_GOOD);
    }
    let new = json!({ "email": email(&first), "password": NEW });
    log_in(&first, new).await.logged_in("logIn");
    // One that is asked for now is good.
    let next = token(&first).await;
    reset(&first, &next, PASSWORD).await.ok("/data/resetPassword");
}

#[tokio::test]
async fn an_unknown_e_mail_gets_the_same_answer_after_the_same_time_and_no_mail() {
    let known = organisation().await;
    let idle = organisation().await;
    change_user(&server().addresses, &idle, "active = false").await;
    let unknown = unique_email();
    let mut answers = vec![];
    for email in [email(&known), &email(&known).to_uppercase(), email(&idle), &unknown] {
        let start = Instant::now();
        let answer = request_reset(&known, email).await;
        assert!(start.elapsed() >= Duration::from_millis(250), "{email}: {:?}", start.elapsed());
        answers.push((answer.status, answer.body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((resets(&known).await, resets(&idle).await), (2, 0));
    assert!(mails_to(&unknown).await.is_empty());
    let malformed = request_reset(&known, "nobody").await;
    assert_eq!(malformed.user_errors("/data/requestPasswordReset"), ["INVALID email"]);
}

#[tokio::test]
async fn a_reset_is_good_for_one_hour() {
    let clock = ManualClock::default();
    let client = second_server(&clock).await.signed_up().await;
    let early = token(&client).await;
    clock.advance(TimeDelta::minutes(59));
    reset(&client, &early, NEW).await.ok("/data/resetPassword");
    let late = token(&client).await;
    clock.advance(TimeDelta::minutes(60));
    assert_eq!(reset(&client, &late, PASSWORD).await.user_errors("/data/resetPassword"), NOT_GOOD);
    let new = json!({ "email": email(&client), "password": NEW });
    log_in(&client, new).await.logged_in("logIn");
}

#[tokio::test]
async fn a_reset_is_good_once_for_itself_alone_and_in_its_own_organisation() {
    let (client, stranger) = (organisation().await, organisation().await);
    let token = token(&client).await;
    assert_eq!(verify(&client, &token).await.user_errors("/data/verifyEmail"), NOT_GOOD);
    let verification = token_for("verify-email", email(&client)).await;
    for wrong in [readdressed(&token, &stranger), verification, String::new()] {
        let answer = reset(&client, &wrong, NEW).await;
        assert_eq!(answer.user_errors("/data/resetPassword"), NOT_GOOD, "{wrong}");
    }
    assert_eq!(
        reset(&client, &token, "short").await.user_errors("/data/resetPassword"),
        ["INVALID password"]
    );
    assert_let_in(&client).await;
    reset(&client, &token, NEW).await.ok("/data/resetPassword");
    assert_eq!(reset(&client, &token, PASSWORD).await.user_errors("/data/resetPassword"), NOT_GOOD);
}

#[tokio::test]
async fn of_two_resets_at_once_one_is_too_late() {
    let client = organisation().await;
    let token = token(&client).await;
    let (one, two) = tokio::join!(reset(&client, &token, NEW), reset(&client, &token, PASSWORD));
    let errors = [one, two].map(|answer| answer.user_errors("/data/resetPassword"));
    assert_eq!(errors.iter().filter(|errors| errors.is_empty()).count(), 1, "{errors:?}");
}

#[tokio::test]
async fn who_can_write_an_organisations_tokens_cannot_set_a_password() {
    let (victim, thief) = (organisation().await, organisation().await);
    let real = token(&victim).await;
    let account =
        cell::<String>(&format!("SELECT id::text FROM accounts WHERE email = '{}'", email(&victim))).await;
    let reset_token_id =
        format!("SELECT reset_token_id::text FROM accounts WHERE email = '{}'", email(&victim));
    let admitted: uuid::Uuid = cell::<String>(&reset_token_id).await.parse().unwrap();
    // What the service's role might write into the thief's organisation, with a secret of their own:
    // also under the id of the token that may set the password.
    let secret = [7; 32];
    let hash: String = Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    let app = connect(server().addresses.app.as_str()).await;
    for id in [uuid::Uuid::now_v7(), admitted] {
        let forged = format!(
            "BEGIN; SET LOCAL app.organisation_id = '{}';
             INSERT INTO mailed_tokens (id, purpose, account_id, email, secret_hash, expires_at)
                 VALUES ('{id}', 'PASSWORD_RESET', '{account}', '{}', '\\x{hash}', now() + interval '1 hour'); COMMIT",
            thief.organisation_id(),
            email(&victim)
        );
        app.batch_execute(&forged).await.unwrap();
        let organisation = thief.organisation_id();
        let parts = [organisation.as_bytes().as_slice(), id.as_bytes(), &secret];
        let forged = super::tokens::encoded(&parts.concat());
        assert_eq!(reset(&thief, &forged, NEW).await.user_errors("/data/resetPassword"), NOT_GOOD);
        assert_let_in(&victim).await;
    }
    let exchange = format!(
        "BEGIN; SET LOCAL app.organisation_id = '{}'; UPDATE mailed_tokens SET secret_hash = '\\x{hash}'; COMMIT",
        victim.organisation_id()
    );
    assert!(app.batch_execute(&exchange).await.is_err());
    reset(&victim, &real, NEW).await.ok("/data/resetPassword");
}

#[tokio::test]
async fn nobody_is_flooded_with_resets_and_the_answer_stays_the_same() {
    let client = organisation().await;
    for _ in 0..6 {
        request_reset(&client, email(&client)).await.ok("/data/requestPasswordReset");
    }
    assert_eq!(resets(&client).await, 5);
    // What was refused leaves the last one as it was.
    let last = token_for(PAGE, email(&client)).await;
    reset(&client, &last, NEW).await.ok("/data/resetPassword");
}
