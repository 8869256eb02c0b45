//! Signing up and logging in: what a form answers.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{change_user, email, invite, log_in, newcomer, request_reset, sign_up, with};
use crate::harness::{Client, PASSWORD, anonymous, organisation, server, unique_email};

fn changed(mut input: Value, change: Value) -> Value {
    let Value::Object(change) = change else { panic!("{change}") };
    input.as_object_mut().unwrap().extend(change);
    input
}

async fn slug(input: Value) -> String {
    let answer = sign_up(&anonymous(), input).await;
    answer.logged_in("signUp")["organisation"]["slug"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sign_up_makes_an_organisation_with_its_admin() {
    let email = unique_email();
    let answer = sign_up(&anonymous(), newcomer(&email)).await;
    let payload = answer.logged_in("signUp");
    assert_eq!(payload["user"]["name"], "Ada Lovelace");
    assert_eq!(payload["user"]["email"], email.as_str());
    assert_eq!(payload["user"]["roles"], json!(["ADMIN", "USER"]));
    assert_eq!(payload["organisation"]["name"], "Acme & Sons");
    let client = with(&anonymous(), payload);
    let answer = client
        .run("{ me { name email } organisation { id name currency } users { nodes { name } } }", json!({}))
        .await;
    assert_eq!(answer.ok("/data")["users"]["nodes"], json!([{ "name": "Ada Lovelace" }]));
    assert_eq!(answer.at("/data/organisation/id"), &payload["organisation"]["id"]);
    assert_eq!(answer.at("/data/me/email"), email.as_str());
}

#[tokio::test]
async fn everything_wrong_with_a_sign_up_is_said_at_once() {
    let input = json!({
        "organisationName": " ", "slug": "Not A Slug", "email": "nobody", "password": "short",
        "firstName": "", "lastName": "x".repeat(101),
    });
    let answer = sign_up(&anonymous(), input).await;
    let mut errors = answer.user_errors("/data/signUp");
    errors.sort();
    let fields = ["email", "firstName", "lastName", "organisationName", "password", "slug"];
    assert_eq!(errors, fields.map(|field| format!("INVALID {field}")));
    assert_eq!(*answer.at("/data/signUp/logIn"), Value::Null);
}

#[tokio::test]
async fn a_password_has_eight_to_256_characters() {
    for (length, refused) in [(7, true), (8, false), (256, false), (257, true)] {
        let input = changed(newcomer(&unique_email()), json!({ "password": "ä".repeat(length) }));
        let errors = sign_up(&anonymous(), input).await.user_errors("/data/signUp");
        assert_eq!(errors == ["INVALID password"], refused, "{length}: {errors:?}");
    }
}

#[tokio::test]
async fn a_taken_short_name_is_refused_and_a_made_one_gives_way() {
    let name = format!("Müller {}", &Uuid::new_v4().simple().to_string()[..16]);
    let made = name.to_lowercase().replace(['ü', ' '], "-");
    let named = || changed(newcomer(&unique_email()), json!({ "organisationName": name }));
    assert_eq!(slug(named()).await, made);
    let (second, third) = (slug(named()).await, slug(named()).await);
    assert!(
        second.starts_with(&format!("{made}-")) && third.starts_with(&format!("{made}-")),
        "{second} {third}"
    );
    assert_ne!(second, third);
    let answer = sign_up(&anonymous(), changed(named(), json!({ "slug": made }))).await;
    assert_eq!(answer.user_errors("/data/signUp"), ["ALREADY_EXISTS slug"]);
    let asked = format!("s-{}", Uuid::now_v7().simple());
    assert_eq!(slug(changed(named(), json!({ "slug": asked }))).await, asked);
}

#[tokio::test]
async fn a_made_short_name_could_be_given_by_hand() {
    let name = format!("{} {}", Uuid::now_v7().simple(), "long ".repeat(20));
    for _ in 0..2 {
        let input = changed(newcomer(&unique_email()), json!({ "organisationName": name }));
        let made = slug(input).await;
        let by_hand =
            sign_up(&anonymous(), changed(newcomer(&unique_email()), json!({ "slug": made }))).await;
        assert_eq!(by_hand.user_errors("/data/signUp"), ["ALREADY_EXISTS slug"], "{made}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_of_one_name_at_once_all_get_a_short_name() {
    let name = format!("Race {}", Uuid::now_v7().simple());
    let input = |_| changed(newcomer(&unique_email()), json!({ "organisationName": name }));
    let slugs = futures_util::future::join_all((0..6).map(input).map(slug)).await;
    let different: std::collections::BTreeSet<_> = slugs.iter().collect();
    assert_eq!(different.len(), 6, "{slugs:?}");
}

#[tokio::test]
async fn a_known_e_mail_needs_its_password_and_gets_a_second_organisation() {
    let first = organisation().await;
    let wrong = changed(newcomer(email(&first)), json!({ "password": "not the right one" }));
    assert_eq!(sign_up(&first, wrong).await.user_errors("/data/signUp"), ["NOT_ALLOWED password"]);
    let answer = sign_up(&first, newcomer(&email(&first).to_uppercase())).await;
    let second = answer.logged_in("signUp");
    assert_ne!(second["organisation"]["id"], first.log_in["organisation"]["id"]);

    let credentials = json!({ "email": email(&first), "password": PASSWORD });
    let at = |id: &Value| changed(credentials.clone(), json!({ "organisationId": id }));
    let opened =
        async |input: Value| log_in(&first, input).await.logged_in("logIn")["organisation"]["id"].clone();
    let (old, new) = (&first.log_in["organisation"]["id"], &second["organisation"]["id"]);
    // The one asked for; without asking the one used last, and signing up is using.
    assert_eq!(opened(credentials.clone()).await, *new);
    for id in [new, old, new] {
        assert_eq!(opened(at(id)).await, *id);
        assert_eq!(opened(credentials.clone()).await, *id);
    }
    // Both belong to the account, and neither to the other's users.
    let client = with(&first, second);
    let answer = client.run("{ users { nodes { email } } }", json!({})).await;
    assert_eq!(answer.ok("/data/users/nodes").as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn sign_ups_of_one_e_mail_at_once_make_one_account() {
    let email = unique_email();
    let answers = futures_util::future::join_all((0..4).map(|_| {
        let input = changed(newcomer(&email), json!({ "organisationName": email }));
        async move { sign_up(&anonymous(), input).await }
    }))
    .await;
    for answer in &answers {
        assert!(answer.body.get("errors").is_none(), "{}", answer.body);
    }
    log_in(&anonymous(), json!({ "email": email, "password": PASSWORD })).await.logged_in("logIn");
}

#[tokio::test]
async fn an_e_mail_is_the_same_however_it_is_capitalised() {
    let client = organisation().await;
    let input = json!({ "email": email(&client).to_uppercase(), "password": PASSWORD });
    assert_eq!(log_in(&client, input).await.logged_in("logIn")["user"]["id"], client.log_in["user"]["id"]);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_e_mail_get_the_same_answer() {
    let client = organisation().await;
    let wrong = log_in(&client, json!({ "email": email(&client), "password": "wrong" })).await;
    assert_eq!(wrong.user_errors("/data/logIn"), ["NOT_ALLOWED "]);
    for email in [unique_email(), "nobody".to_owned(), String::new(), "\0@example.org".to_owned()] {
        let unknown = log_in(&client, json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!((unknown.status, &unknown.body), (wrong.status, &wrong.body), "{email:?}");
    }
}

#[tokio::test]
async fn nobody_logs_in_to_an_organisation_that_is_not_theirs() {
    let (client, stranger) = (organisation().await, organisation().await);
    let at = |id: Value| json!({ "email": email(&client), "password": PASSWORD, "organisationId": id });
    let errors = async |id: Value| log_in(&client, at(id)).await.user_errors("/data/logIn");
    let unknown = format!("organisation_{}", "0".repeat(26));
    assert_eq!(errors(stranger.log_in["organisation"]["id"].clone()).await, ["NOT_FOUND organisationId"]);
    assert_eq!(errors(json!(unknown)).await, ["NOT_FOUND organisationId"]);
    for malformed in ["x", "organisation_", client.log_in["user"]["id"].as_str().unwrap()] {
        assert_eq!(errors(json!(malformed)).await, ["INVALID organisationId"], "{malformed}");
    }
}

#[tokio::test]
async fn a_deactivated_user_cannot_log_in_there_but_elsewhere() {
    let first = organisation().await;
    let answer = sign_up(&first, newcomer(email(&first))).await;
    let second = with(&first, answer.logged_in("signUp"));
    change_user(&server().addresses, &second, "active = false").await;
    let input = json!({ "email": email(&first), "password": PASSWORD });
    let opened: Client = with(&first, log_in(&first, input.clone()).await.logged_in("logIn"));
    assert_eq!(opened.organisation_id(), first.organisation_id());
    change_user(&server().addresses, &first, "active = false").await;
    assert_eq!(log_in(&first, input).await.user_errors("/data/logIn"), ["NOT_FOUND organisationId"]);
}

/// Every input for an e-mail has the rule of the mailer: what one accepts, a mail can be sent to.
#[tokio::test]
async fn what_no_mail_can_be_sent_to_is_no_e_mail_anywhere() {
    let client = organisation().await;
    for bad in [
        "<ann@x.example>",
        "ann@x.example;",
        "a..b@x.example",
        "mailto:ann@x.example",
        "ann\u{200b}@x.example",
        "Ann <ann@x.example>",
    ] {
        let errors = sign_up(&anonymous(), newcomer(bad)).await.user_errors("/data/signUp");
        assert_eq!(errors, ["INVALID email"], "{bad}");
        let input = json!({ "email": bad, "firstName": "Ann", "lastName": "X" });
        assert_eq!(invite(&client, input).await.user_errors("/data/inviteUser"), ["INVALID email"], "{bad}");
        let errors = request_reset(&client, bad).await.user_errors("/data/requestPasswordReset");
        assert_eq!(errors, ["INVALID email"], "{bad}");
        let query = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
                     contact { id } userErrors { code message field } } }";
        let input = json!({ "name": "Ann", "emails": [{ "address": bad }] });
        let errors = client.mutate(query, input).await.user_errors("/data/createContact");
        assert_eq!(errors, ["INVALID contact.emails.0.address"], "{bad}");
    }
    // The edges do not count, here or where one logs in.
    let address = format!(" {}\t", email(&client).to_uppercase());
    log_in(&client, json!({ "email": address, "password": PASSWORD })).await.logged_in("logIn");
}
