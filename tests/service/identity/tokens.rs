//! Refresh tokens: each is good for once, and access tokens: each is good for fifteen minutes.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenancy::ManualClock;

use super::{assert_let_in, cell, email, log_in, me, refresh, second_server, shut_out, with};
use crate::harness::{Client, PASSWORD, mail_settings, organisation, server, settings, superuser};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 for URLs, without padding.
pub(super) fn encoded(bytes: &[u8]) -> String {
    let sextet = |group: &[u8], at: usize| {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        char::from(ALPHABET[usize::try_from(bits >> (18 - 6 * at) & 63).unwrap()])
    };
    bytes.chunks(3).flat_map(|group| (0..=group.len()).map(move |at| sextet(group, at))).collect()
}

pub(super) fn decoded(text: &str) -> Vec<u8> {
    let value = |c: u8| u32::try_from(ALPHABET.iter().position(|a| *a == c).unwrap()).unwrap();
    let bytes = |group: &[u8]| {
        let bits = group.iter().fold(0, |bits, c| bits << 6 | value(*c)) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    text.as_bytes().chunks(4).flat_map(bytes).collect()
}

fn token(client: &Client) -> &Value {
    &client.log_in["refreshToken"]
}

/// Asserts that a refresh token is refused.
async fn assert_refused(client: &Client, token: &Value) {
    let answer = refresh(client, token).await;
    assert_eq!(answer.user_errors("/data/refreshLogIn"), ["INVALID refreshToken"], "{token}");
    assert_eq!(*answer.at("/data/refreshLogIn/logIn"), Value::Null);
}

#[tokio::test]
async fn a_refresh_gives_the_next_pair_of_tokens() {
    let first = organisation().await;
    let second = with(&first, refresh(&first, token(&first)).await.logged_in("refreshLogIn"));
    assert_ne!(token(&second), token(&first));
    assert_eq!(second.log_in["user"]["id"], first.log_in["user"]["id"]);
    let third = with(&second, refresh(&second, token(&second)).await.logged_in("refreshLogIn"));
    for client in [&first, &second, &third] {
        assert_let_in(client).await;
    }
}

/// How a log-in of this organisation ended, if one has.
async fn end_reason(client: &Client) -> Option<String> {
    let query = "SELECT end_reason FROM login_sessions WHERE organisation_id = '{}' AND ended_at IS NOT NULL";
    let query = query.replace("{}", &client.organisation_id().to_string());
    let rows = superuser(server().addresses.database()).await.query(&query, &[]).await.unwrap();
    rows.first().map(|row| row.get(0))
}

/// The client with the tokens that a refresh gave.
async fn refreshed(client: &Client) -> Client {
    with(client, refresh(client, token(client)).await.logged_in("refreshLogIn"))
}

#[tokio::test]
async fn tabs_and_lost_answers_go_on_with_one_token() {
    let clock = ManualClock::default();
    let gateways = [second_server(&clock).await, second_server(&clock).await];
    let first = gateways[0].signed_up().await;
    clock.advance(TimeDelta::minutes(10));
    // Five tabs at once, on two gateways.
    let tabs: Vec<Client> = (0..5).map(|tab| first.at(&gateways[tab % 2].url)).collect();
    let answers = join_all(tabs.iter().map(|tab| refresh(tab, token(&first)))).await;
    let tokens: BTreeSet<String> = answers
        .iter()
        .map(|answer| answer.logged_in("refreshLogIn")["refreshToken"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tokens.len(), 1, "{answers:?}");
    for answer in &answers {
        assert_let_in(&with(&first, answer.logged_in("refreshLogIn"))).await;
    }
    let second = with(&first, answers[0].logged_in("refreshLogIn"));
    let count =
        format!("SELECT count(*) FROM refresh_tokens WHERE organisation_id = '{}'", first.organisation_id());
    assert_eq!(cell::<i64>(&count).await, 2);
    clock.advance(TimeDelta::seconds(29));
    assert_eq!(token(&refreshed(&first).await), token(&second));
    assert_eq!(end_reason(&first).await, None);
    // Theft is still found.
    clock.advance(TimeDelta::seconds(2));
    assert_refused(&first, token(&first)).await;
    assert_eq!(end_reason(&first).await.as_deref(), Some("TOKEN_REUSED"));
    assert_refused(&second, token(&second)).await;
    shut_out(&second).await;
    assert_eq!(me(&second).await.status, 401);
}

#[tokio::test]
async fn a_token_whose_successor_was_used_ends_its_family_and_no_other() {
    let clock = ManualClock::default();
    let first = second_server(&clock).await.signed_up().await;
    let other = first.log_in_as(email(&first)).await;
    let second = refreshed(&first).await;
    clock.advance(TimeDelta::seconds(20));
    let third = refreshed(&second).await;
    // In time, but the one who goes on is not the one who comes late.
    clock.advance(TimeDelta::seconds(5));
    assert_refused(&first, token(&first)).await;
    for client in [&first, &second, &third] {
        shut_out(client).await;
    }
    assert_refused(&third, token(&third)).await;
    assert_let_in(&other).await;
    refreshed(&other).await;
}

#[tokio::test]
async fn a_stale_access_token_keeps_nobody_from_a_new_one() {
    let clock = ManualClock::default();
    let client = second_server(&clock).await.signed_up().await;
    clock.advance(TimeDelta::minutes(16));
    for token_sent in [client.access_token.clone().unwrap(), "nonsense".to_owned()] {
        let mut stale = client.clone();
        stale.access_token = Some(token_sent);
        let payload = "{ logIn { user { id } } userErrors { code } }";
        let query = format!(
            "mutation ($token: String!) {{ refreshLogIn(input: {{ refreshToken: $token }}) {payload} }}"
        );
        stale.run(&query, json!({ "token": token(&client) })).await.logged_in("refreshLogIn");
        let query = format!(
            "mutation ($email: String!, $password: String!) \
             {{ ... {{ logIn(input: {{ email: $email, password: $password }}) {payload} }} __typename }}"
        );
        let variables = json!({ "email": email(&client), "password": PASSWORD });
        stale.run(&query, variables.clone()).await.logged_in("logIn");
        // Nothing else is executed, and nothing is said of what was asked.
        for query in [
            "{ me { id } }".to_owned(),
            "{ nonsense }".to_owned(),
            "{".to_owned(),
            query.replace("__typename", "logOut { userErrors { code } }"),
        ] {
            let answer = stale.run(&query, variables.clone()).await;
            assert_eq!(
                (answer.status, answer.errors()),
                (401, vec!["UNAUTHENTICATED".to_owned()]),
                "{query}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_of_ours_is_refused() {
    let (client, stranger) = (organisation().await, organisation().await);
    let own = decoded(token(&client).as_str().unwrap());
    assert_eq!(encoded(&own), *token(&client), "the tests read tokens as the service writes them");
    let foreign = [stranger.organisation_id().as_bytes().as_slice(), &own[16..]].concat();
    let mut other_secret = own.clone();
    *other_secret.last_mut().unwrap() ^= 1;
    let mut other_id = own.clone();
    other_id[31] ^= 1;
    for token in [foreign, other_secret, other_id, own[..40].to_vec(), vec![0; 64], vec![]] {
        assert_refused(&client, &json!(encoded(&token))).await;
    }
    for garbage in ["x", "not base64!", "\0", client.access_token.as_deref().unwrap()] {
        assert_refused(&client, &json!(garbage)).await;
    }
    // Guessing neither used the token up nor ended its family.
    refresh(&client, token(&client)).await.logged_in("refreshLogIn");
    refresh(&stranger, token(&stranger)).await.logged_in("refreshLogIn");
}

#[tokio::test]
async fn an_access_token_is_over_after_fifteen_minutes() {
    let clock = ManualClock::default();
    let client = second_server(&clock).await.signed_up().await;
    assert_let_in(&client).await;
    clock.advance(TimeDelta::seconds(14 * 60 + 45));
    assert_let_in(&client).await;
    clock.advance(TimeDelta::seconds(16));
    assert_eq!(me(&client).await.status, 401);
    let next = with(&client, refresh(&client, token(&client)).await.logged_in("refreshLogIn"));
    assert_let_in(&next).await;
}

#[tokio::test]
async fn a_log_in_is_over_after_thirty_days_however_often_it_is_refreshed() {
    let clock = ManualClock::default();
    let mut client = second_server(&clock).await.signed_up().await;
    for _ in 0..3 {
        clock.advance(TimeDelta::days(10) - TimeDelta::minutes(1));
        client = with(&client, refresh(&client, token(&client)).await.logged_in("refreshLogIn"));
        assert_let_in(&client).await;
    }
    clock.advance(TimeDelta::minutes(4));
    assert_refused(&client, token(&client)).await;
    // The access token itself has eleven minutes left.
    assert_eq!(me(&client).await.status, 401);
    let again = json!({ "email": email(&client), "password": PASSWORD });
    assert_let_in(&with(&client, log_in(&client, again).await.logged_in("logIn"))).await;
}

/// The three parts of an access token.
fn parts(client: &Client) -> [String; 3] {
    let parts: Vec<_> = client.access_token.as_deref().unwrap().split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

async fn status_of(client: &Client, token: String) -> u16 {
    let mut client = client.clone();
    client.access_token = Some(token);
    me(&client).await.status
}

#[tokio::test]
async fn an_access_token_that_we_did_not_sign_is_refused() {
    let (client, stranger) = (organisation().await, organisation().await);
    let [header, payload, signature] = parts(&client);
    let [_, other_payload, other_signature] = parts(&stranger);
    let text = String::from_utf8(decoded(&header)).unwrap();
    assert!(text.contains("HS256"), "{text}");
    let header_of = |algorithm: &str| encoded(text.replace("HS256", algorithm).as_bytes());
    let mut claims: Value = serde_json::from_slice(&decoded(&payload)).unwrap();
    claims["exp"] = json!(claims["exp"].as_i64().unwrap() + 3600);
    let longer = encoded(claims.to_string().as_bytes());
    for token in [
        format!("{header}.{longer}.{signature}"),
        format!("{header}.{other_payload}.{signature}"),
        format!("{header}.{payload}.{other_signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{}.{payload}.", header_of("none")),
        format!("{}.{payload}.{signature}", header_of("none")),
        format!("{}.{payload}.{signature}", header_of("HS512")),
        format!("{}.{payload}.{signature}", header_of("RS256")),
        "x".to_owned(),
    ] {
        assert_eq!(status_of(&client, token.clone()).await, 401, "{token}");
    }
    assert_eq!(status_of(&client, format!("{header}.{payload}.{signature}")).await, 200);
}

#[tokio::test]
async fn an_access_token_of_another_key_is_refused() {
    let keys =
        domain_identity::TokenKeys::parse("another key for tests alone of more than 32 bytes").unwrap();
    let (limits, clock) =
        (tenancy::Limits { connections: 2, ..tenancy::Limits::default() }, tenancy::Clock::system());
    let service =
        gateway::Service::open(&server().addresses, &limits, keys, clock, &mail_settings(), settings())
            .await
            .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(service.without_work().serve(listener, std::future::pending()));
    let there = Client::of(&url).signed_up().await;
    assert_let_in(&there).await;
    let here = crate::harness::anonymous();
    assert_eq!(status_of(&here, there.access_token.clone().unwrap()).await, 401);
    // The refresh token is the database's, not a key's.
    assert_let_in(&with(&here, refresh(&here, token(&there)).await.logged_in("refreshLogIn"))).await;
}
