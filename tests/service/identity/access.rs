//! Who is let in: every request anew, and every gateway hears when somebody is not any more.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenancy::ManualClock;

use super::{assert_let_in, change_user, email, log_in, me, refresh, second_server, shut_out};
use crate::{
    door::eventually,
    harness::{Client, PASSWORD, organisation, server},
};

/// Sends `{ me { name } }` under any `Authorization`, and answers the status and the code.
async fn authorised(authorization: Option<&str>) -> (u16, Value) {
    let mut request = crate::harness::http()
        .post(format!("{}/graphql", server().url))
        .header("content-type", "application/json")
        .body(r#"{ "query": "{ me { name } }" }"#);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.text().await.unwrap().parse().unwrap();
    (status, body["errors"][0]["extensions"]["code"].clone())
}

#[tokio::test]
async fn nobody_is_anonymous_by_mistake() {
    assert_eq!(authorised(None).await, (200, json!("UNAUTHENTICATED")));
    let client = organisation().await;
    let token = client.access_token.as_deref().unwrap();
    for wrong in ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", token, &format!("Token {token}")] {
        assert_eq!(authorised(Some(wrong)).await, (401, json!("UNAUTHENTICATED")), "{wrong}");
    }
    assert_eq!(authorised(Some(&format!("Bearer {token}"))).await, (200, Value::Null));
}

#[tokio::test]
async fn the_name_of_the_scheme_is_the_same_however_it_is_capitalised() {
    let client = organisation().await;
    let token = client.access_token.as_deref().unwrap();
    assert_eq!(authorised(Some(&format!("bearer {token}"))).await, (200, Value::Null));
}

#[tokio::test]
async fn who_is_not_let_in_is_told_how() {
    let request =
        crate::harness::http().post(format!("{}/graphql", server().url)).header("authorization", "Bearer x");
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = response.headers().get("www-authenticate").expect("RFC 9110, 15.5.2");
    assert!(challenge.to_str().unwrap().starts_with("Bearer"), "{challenge:?}");
}

#[tokio::test]
async fn nobody_in_particular_reads_and_changes_nothing() {
    let anonymous = crate::harness::anonymous();
    for query in [
        "{ me { name } }",
        "{ organisation { name } }",
        "{ users { nodes { name } } }",
        "{ contacts { nodes { name } } }",
        "mutation { logOut { userErrors { code } } }",
        "mutation { createContact(input: { contact: { kind: COMPANY, name: \"A\" } }) { userErrors { code } } }",
    ] {
        assert_eq!(anonymous.run(query, json!({})).await.errors(), ["UNAUTHENTICATED"], "{query}");
    }
    anonymous.run("{ __typename }", json!({})).await.ok("/data");
}

async fn log_out(client: &Client) {
    client
        .run("mutation { logOut { userErrors { code message field } } }", json!({}))
        .await
        .ok("/data/logOut");
}

#[tokio::test]
async fn a_log_out_ends_its_own_log_in_alone() {
    let first = organisation().await;
    let (second, colleague) = (first.log_in_as(email(&first)).await, first.colleague(&["STAFF"]).await);
    for client in [&first, &second, &colleague] {
        assert_let_in(client).await;
    }
    log_out(&first).await;
    shut_out(&first).await;
    let refused = refresh(&first, &first.log_in["refreshToken"]).await;
    assert_eq!(refused.user_errors("/data/refreshLogIn"), ["INVALID refreshToken"]);
    for client in [&second, &colleague] {
        assert_let_in(client).await;
        refresh(client, &client.log_in["refreshToken"]).await.logged_in("refreshLogIn");
    }
}

#[tokio::test]
async fn a_deactivated_user_is_shut_out_while_the_others_work_on() {
    let admin = organisation().await;
    let colleague = admin.colleague(&["STAFF"]).await;
    let twice = admin.log_in_as(email(&colleague)).await;
    for client in [&admin, &colleague, &twice] {
        assert_let_in(client).await;
    }
    change_user(&server().addresses, &colleague, "active = false").await;
    shut_out(&colleague).await;
    shut_out(&twice).await;
    assert_let_in(&admin).await;
    change_user(&server().addresses, &colleague, "active = true").await;
    eventually("the user is let in again", async || me(&colleague).await.status == 200).await;
}

#[tokio::test]
async fn a_deactivated_user_cannot_refresh() {
    let admin = organisation().await;
    let colleague = admin.colleague(&["STAFF"]).await;
    change_user(&server().addresses, &colleague, "active = false").await;
    let answer = refresh(&colleague, &colleague.log_in["refreshToken"]).await;
    assert_eq!(answer.user_errors("/data/refreshLogIn"), ["INVALID refreshToken"], "{}", answer.body);
}

#[tokio::test]
async fn a_deleted_user_is_shut_out() {
    let admin = organisation().await;
    let colleague = admin.colleague(&["STAFF"]).await;
    assert_let_in(&colleague).await;
    change_user(&server().addresses, &colleague, "deleted_at = now()").await;
    shut_out(&colleague).await;
}

#[tokio::test]
async fn a_change_of_roles_is_seen_at_once() {
    let admin = organisation().await;
    let colleague = admin.colleague(&["STAFF"]).await;
    let errors = async || colleague.run("{ contacts { nodes { name } } }", json!({})).await.errors();
    assert_eq!(errors().await, [""; 0]);
    change_user(&server().addresses, &colleague, "roles = '{USER}'").await;
    eventually("the user may not read contacts", async || errors().await == ["FORBIDDEN"]).await;
    change_user(&server().addresses, &colleague, "roles = '{USER,MANAGER}'").await;
    eventually("the user may read contacts", async || errors().await.is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_out_at_one_gateway_is_heard_by_the_other() {
    let clock = ManualClock::default();
    let one = second_server(&clock).await.signed_up().await;
    let mut two = one.clone();
    two.url = second_server(&clock).await.url;
    assert_let_in(&one).await;
    assert_let_in(&two).await;
    log_out(&one).await;
    shut_out(&two).await;
    shut_out(&one).await;
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    let admin = organisation().await;
    let colleagues = [admin.colleague(&["STAFF"]).await, admin.colleague(&["USER"]).await];
    let stranger = organisation().await;
    let query = "query ($after: String) { users(first: 2, after: $after) { \
                 nodes { id } pageInfo { hasNextPage endCursor } } }";
    let first = admin.run(query, json!({})).await.ok("/data/users").clone();
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let rest =
        admin.run(query, json!({ "after": first["pageInfo"]["endCursor"] })).await.ok("/data/users").clone();
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    let ids =
        |page: &Value| page["nodes"].as_array().unwrap().iter().map(|node| node["id"].to_string()).collect();
    let mut found: Vec<String> =
        [&first, &rest].into_iter().flat_map(|page| -> Vec<_> { ids(page) }).collect();
    let mut all: Vec<_> =
        [&admin, &colleagues[0], &colleagues[1]].map(|c| c.log_in["user"]["id"].to_string()).into();
    found.sort();
    all.sort();
    assert_eq!(found, all);
    let query = "query ($id: ID!) { user(id: $id) { name } }";
    let foreign = admin.run(query, json!({ "id": stranger.log_in["user"]["id"] })).await;
    assert_eq!(*foreign.ok("/data/user"), Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_log_ins_starves_nobody() {
    const LOG_INS: usize = 30;
    let client = organisation().await;
    let answered = AtomicUsize::new(0);
    let log_ins = join_all((0..LOG_INS).map(async |_| {
        let input = json!({ "email": email(&client), "password": PASSWORD });
        log_in(&client, input).await.logged_in("logIn");
        answered.fetch_add(1, Ordering::SeqCst);
    }));
    let meanwhile = async {
        eventually("the flood is there", async || answered.load(Ordering::SeqCst) > 0).await;
        let mut quick = 0;
        while answered.load(Ordering::SeqCst) < LOG_INS {
            client.anonymous().run("{ __typename }", json!({})).await.ok("/data");
            quick += 1;
        }
        quick
    };
    let (_, quick) = tokio::join!(log_ins, meanwhile);
    // Hundreds; some forty where the threads that serve hash too.
    assert!(quick > 3 * LOG_INS, "{quick} requests were answered in the time of {LOG_INS} log-ins");
}
