//! Inviting and accepting: one walk, and everything that can be wrong with it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use tenancy::ManualClock;

use super::{
    NOT_GOOD, accept, assert_let_in, cell, change_user, email, invite, log_in, newcomer, readdressed, reset,
    second_server, sign_up, verify, with,
};
use crate::harness::{
    Client, PASSWORD, anonymous, link_in, mails_to, organisation, server, token_for, unique_email, uuid,
};

fn invited(email: &str) -> Value {
    json!({ "email": email, "firstName": "Grace", "lastName": "Hopper", "roles": ["STAFF", "USER"] })
}

/// Invites somebody and answers the token that they get.
async fn token(admin: &Client, email: &str) -> String {
    invite(admin, invited(email)).await.ok("/data/inviteUser");
    token_for("accept-invitation", email).await
}

#[tokio::test]
async fn somebody_new_is_invited_accepts_and_works() {
    let admin = organisation().await;
    let email = unique_email();
    let answer = invite(&admin, invited(&email)).await;
    assert!(answer.ok("/data/inviteUser")["expiresAt"].is_string());
    let [mail] = &mails_to(&email).await[..] else { panic!("one mail") };
    assert_eq!(mail.to.name, "Grace Hopper");
    assert_eq!(mail.subject, "Ada Test invites you to Test");
    assert!(mail.text.contains("7 days"), "{}", mail.text);
    assert_eq!(link_in(mail).path(), "/app/accept-invitation");

    // Nobody is a user before accepting.
    let users = "{ users { nodes { email } } }";
    let count = async || admin.run(users, json!({})).await.ok("/data/users/nodes").as_array().unwrap().len();
    assert_eq!(count().await, 1);
    let token = token_for("accept-invitation", &email).await;
    let answer = accept(&anonymous(), &token, "a new password").await;
    let payload = answer.logged_in("acceptInvitation");
    assert_eq!(payload["user"]["name"], "Grace Hopper");
    assert_eq!(payload["user"]["email"], email.as_str());
    assert_eq!(payload["user"]["roles"], json!(["STAFF", "USER"]));
    assert_eq!(payload["organisation"]["id"], admin.log_in["organisation"]["id"]);
    assert_eq!(count().await, 2);
    let grace = with(&admin, payload);
    grace.run("{ contacts { nodes { name } } }", json!({})).await.ok("/data/contacts");
    log_in(&admin, json!({ "email": email, "password": "a new password" })).await.logged_in("logIn");

    let query = "{ me { createdBy { id } } }";
    assert_eq!(
        grace.run(query, json!({})).await.ok("/data/me")["createdBy"]["id"],
        admin.log_in["user"]["id"]
    );
    let verified = format!("SELECT email_verified_at IS NOT NULL FROM accounts WHERE email = '{email}'");
    assert!(cell::<bool>(&verified).await);
}

#[tokio::test]
async fn an_account_that_is_there_is_used_with_its_own_password() {
    let (admin, other) = (organisation().await, organisation().await);
    let email = email(&other);
    let token = token(&admin, &email.to_uppercase()).await;
    let answer = accept(&anonymous(), &token, "not the right one").await;
    assert_eq!(answer.user_errors("/data/acceptInvitation"), ["NOT_ALLOWED password"]);
    // The mistake did not use the invitation up.
    let answer = accept(&anonymous(), &token, PASSWORD).await;
    let payload = answer.logged_in("acceptInvitation");
    assert_eq!(payload["organisation"]["id"], admin.log_in["organisation"]["id"]);
    assert_let_in(&other).await;
    // Log-in opens the organisation used last; both are the account's.
    let credentials = json!({ "email": email, "password": PASSWORD });
    let answer = log_in(&admin, credentials.clone()).await;
    assert_eq!(answer.logged_in("logIn")["organisation"]["id"], admin.log_in["organisation"]["id"]);
    let mut there = credentials;
    there["organisationId"] = other.log_in["organisation"]["id"].clone();
    log_in(&admin, there).await.logged_in("logIn");
}

#[tokio::test]
async fn a_password_of_a_new_account_follows_the_rules_of_a_sign_up() {
    let admin = organisation().await;
    let token = token(&admin, &unique_email()).await;
    for bad in ["", "1234567", &"x".repeat(257)] {
        let answer = accept(&anonymous(), &token, bad).await;
        assert_eq!(answer.user_errors("/data/acceptInvitation"), ["INVALID password"], "{bad}");
    }
    accept(&anonymous(), &token, "12345678").await.logged_in("acceptInvitation");
}

#[tokio::test]
async fn an_invitation_is_good_once() {
    let admin = organisation().await;
    let token = token(&admin, &unique_email()).await;
    accept(&anonymous(), &token, PASSWORD).await.logged_in("acceptInvitation");
    assert_eq!(accept(&anonymous(), &token, PASSWORD).await.user_errors("/data/acceptInvitation"), NOT_GOOD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_accept_at_once_one_is_too_late() {
    let admin = organisation().await;
    let token = token(&admin, &unique_email()).await;
    let nobody = anonymous();
    let (one, two) = tokio::join!(accept(&nobody, &token, PASSWORD), accept(&nobody, &token, PASSWORD));
    let errors = [one, two].map(|answer| answer.user_errors("/data/acceptInvitation"));
    assert!(errors.iter().any(Vec::is_empty) && errors.iter().any(|errors| !errors.is_empty()), "{errors:?}");
    let users = "{ users { nodes { id } } }";
    assert_eq!(admin.run(users, json!({})).await.ok("/data/users/nodes").as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_invitation_is_good_for_seven_days() {
    let clock = ManualClock::default();
    let admin = second_server(&clock).await.signed_up().await;
    let [early, late] = [token(&admin, &unique_email()).await, token(&admin, &unique_email()).await];
    clock.advance(TimeDelta::days(7) - TimeDelta::minutes(1));
    accept(&admin, &early, PASSWORD).await.logged_in("acceptInvitation");
    clock.advance(TimeDelta::minutes(2));
    assert_eq!(accept(&admin, &late, PASSWORD).await.user_errors("/data/acceptInvitation"), NOT_GOOD);
}

#[tokio::test]
async fn inviting_again_makes_the_earlier_invitation_void() {
    let admin = organisation().await;
    let email = unique_email();
    let first = token(&admin, &email).await;
    let mut again = invited(&email.to_uppercase());
    again["roles"] = json!(["MANAGER"]);
    invite(&admin, again).await.ok("/data/inviteUser");
    let second = token_for("accept-invitation", &email.to_uppercase()).await;
    assert_eq!(accept(&anonymous(), &first, PASSWORD).await.user_errors("/data/acceptInvitation"), NOT_GOOD);
    let answer = accept(&anonymous(), &second, PASSWORD).await;
    assert_eq!(answer.logged_in("acceptInvitation")["user"]["roles"], json!(["MANAGER"]));
}

#[tokio::test]
async fn an_invitation_opens_no_other_organisation_and_serves_no_other_purpose() {
    let (admin, stranger) = (organisation().await, organisation().await);
    let token = token(&admin, &unique_email()).await;
    let foreign = readdressed(&token, &stranger);
    let reversed: String = token.chars().rev().collect();
    for wrong in [foreign.as_str(), "", "x", "not base64!", &token[..40], &reversed, "\0"] {
        let answer = accept(&anonymous(), wrong, PASSWORD).await;
        assert_eq!(answer.user_errors("/data/acceptInvitation"), NOT_GOOD, "{wrong}");
    }
    assert_eq!(reset(&admin, &token, PASSWORD).await.user_errors("/data/resetPassword"), NOT_GOOD);
    assert_eq!(verify(&admin, &token).await.user_errors("/data/verifyEmail"), NOT_GOOD);
    let verification = token_for("verify-email", email(&admin)).await;
    let answer = accept(&anonymous(), &verification, PASSWORD).await;
    assert_eq!(answer.user_errors("/data/acceptInvitation"), NOT_GOOD);
    // Unharmed, so that the refusals were for what they were meant for.
    assert_eq!(readdressed(&token, &admin), token);
    accept(&anonymous(), &token, PASSWORD).await.logged_in("acceptInvitation");
}

#[tokio::test]
async fn who_is_a_user_already_cannot_be_invited_even_deactivated() {
    let admin = organisation().await;
    let colleague = admin.colleague(&["STAFF"]).await;
    let again = || invite(&admin, invited(&email(&colleague).to_uppercase()));
    assert_eq!(again().await.user_errors("/data/inviteUser"), ["ALREADY_EXISTS email"]);
    change_user(&server().addresses, &colleague, "active = false").await;
    assert_eq!(again().await.user_errors("/data/inviteUser"), ["ALREADY_EXISTS email"]);
    assert!(mails_to(&email(&colleague).to_uppercase()).await.is_empty());
    change_user(&server().addresses, &colleague, "deleted_at = now()").await;
    again().await.ok("/data/inviteUser");
}

#[tokio::test]
async fn who_became_a_user_meanwhile_is_told_so() {
    let admin = organisation().await;
    let email = unique_email();
    let token = token(&admin, &email).await;
    admin.hire(&email, "Quicker", &["USER"]).await;
    let answer = accept(&anonymous(), &token, PASSWORD).await;
    assert_eq!(answer.user_errors("/data/acceptInvitation"), ["ALREADY_EXISTS email"]);
}

#[tokio::test]
async fn only_an_admin_invites_and_may_give_roles_beyond_their_own() {
    let admin = organisation().await;
    for role in ["MANAGER", "STAFF", "USER"] {
        let colleague = admin.colleague(&[role]).await;
        let email = unique_email();
        assert_eq!(invite(&colleague, invited(&email)).await.errors(), ["FORBIDDEN"], "{role}");
        assert!(mails_to(&email).await.is_empty());
    }
    assert_eq!(invite(&anonymous(), invited(&unique_email())).await.errors(), ["UNAUTHENTICATED"]);
    let bare = admin.colleague(&["ADMIN"]).await;
    let mut all = invited(&unique_email());
    all["roles"] = json!(["TRAINER", "MANAGER", "ADMIN", "TRAINER"]);
    invite(&bare, all.clone()).await.ok("/data/inviteUser");
    let token = token_for("accept-invitation", all["email"].as_str().unwrap()).await;
    let answer = accept(&anonymous(), &token, PASSWORD).await;
    assert_eq!(answer.logged_in("acceptInvitation")["user"]["roles"], json!(["TRAINER", "MANAGER", "ADMIN"]));
}

#[tokio::test]
async fn a_form_that_cannot_be_used_says_what_is_wrong_and_mails_nothing() {
    let admin = organisation().await;
    let bad = json!({ "email": "nobody", "firstName": " ", "lastName": "x".repeat(101), "roles": [] });
    let mut errors = invite(&admin, bad).await.user_errors("/data/inviteUser");
    errors.sort();
    assert_eq!(errors, ["INVALID email", "INVALID firstName", "INVALID lastName", "INVALID roles"]);
    let mut evil = invited(&unique_email());
    evil["firstName"] = json!("Grace\r\nBcc: all@example.org");
    assert_eq!(invite(&admin, evil).await.user_errors("/data/inviteUser"), ["INVALID firstName"]);
    let mut plain = invited(&unique_email());
    plain.as_object_mut().unwrap().remove("roles");
    invite(&admin, plain.clone()).await.ok("/data/inviteUser");
    let token = token_for("accept-invitation", plain["email"].as_str().unwrap()).await;
    let answer = accept(&anonymous(), &token, PASSWORD).await;
    assert_eq!(answer.logged_in("acceptInvitation")["user"]["roles"], json!(["USER"]));
}

#[tokio::test]
async fn nobody_is_flooded_with_invitations() {
    let clock = ManualClock::default();
    let admin = second_server(&clock).await.signed_up().await;
    let email = unique_email();
    for _ in 0..5 {
        invite(&admin, invited(&email)).await.ok("/data/inviteUser");
    }
    assert_eq!(invite(&admin, invited(&email)).await.user_errors("/data/inviteUser"), ["LIMIT_REACHED "]);
    assert_eq!(mails_to(&email).await.len(), 5);
    // The last one sent is good still: what was refused changed nothing.
    let token = token_for("accept-invitation", &email).await;
    accept(&admin, &token, PASSWORD).await.logged_in("acceptInvitation");
    let another = unique_email();
    for _ in 0..5 {
        invite(&admin, invited(&another)).await.ok("/data/inviteUser");
    }
    clock.advance(TimeDelta::minutes(61));
    let admin = admin.log_in_as(super::email(&admin)).await;
    invite(&admin, invited(&another)).await.ok("/data/inviteUser");
}

#[tokio::test]
async fn the_audit_says_who_invited_whom_and_no_secret() {
    let admin = organisation().await;
    let email = unique_email();
    let token = token(&admin, &email).await;
    accept(&anonymous(), &token, PASSWORD).await.logged_in("acceptInvitation");
    let organisation = admin.organisation_id();
    let entries = format!(
        "SELECT string_agg(action || ' ' || coalesce(user_id::text, ''), ', ' ORDER BY created_at)
         FROM audit_entries WHERE organisation_id = '{organisation}' AND entity = 'mailed_tokens'
           AND entity_id IN (SELECT id FROM mailed_tokens WHERE email = '{email}')"
    );
    let users = format!("SELECT id::text FROM users WHERE email = '{email}'");
    let (inviter, grace) = (uuid(admin.log_in["user"]["id"].as_str().unwrap()), cell::<String>(&users).await);
    assert_eq!(cell::<String>(&entries).await, format!("INSERT {inviter}, UPDATE {grace}"));
    let secrets = format!(
        "SELECT count(*) FROM audit_entries WHERE organisation_id = '{organisation}'
         AND (before::text LIKE '%secret%' OR after::text LIKE '%secret%')"
    );
    assert_eq!(cell::<i64>(&secrets).await, 0);
}

#[tokio::test]
async fn an_invitation_and_a_sign_up_of_one_e_mail_do_not_get_into_each_others_way() {
    let admin = organisation().await;
    let email = unique_email();
    let token = token(&admin, &email).await;
    let own = with(&admin, sign_up(&admin, newcomer(&email)).await.logged_in("signUp"));
    accept(&anonymous(), &token, PASSWORD).await.logged_in("acceptInvitation");
    assert_let_in(&own).await;
}
