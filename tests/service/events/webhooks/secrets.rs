//! Secrets: who can read them, what they sign, and where they never appear. And pings.

use async_graphql::resolver_utils::EnumType;
use tenancy::Role;

use super::{
    signed::{signatures, verifies},
    *,
};

async fn rotate(hooks: &Hooks, endpoint: &Endpoint, hours: Value) -> Answer {
    let input = json!({ "id": endpoint.id, "overlapHours": hours });
    hooks.mutate("rotateWebhookEndpoint", "webhookEndpoint { secrets { secret expiresAt } }", input).await
}

/// The request that creating a contact causes.
async fn next(hooks: &Hooks, receiver: &Receiver) -> Received {
    hooks.contact("Signed").await;
    hooks.drain().await;
    let mut requests = receiver.taken();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

#[tokio::test]
async fn both_secrets_sign_during_the_overlap_and_the_old_one_not_after_it() {
    let (mut hooks, receiver) = (Hooks::own("rotated").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    let rotated = rotate(&hooks, &endpoint, json!(2)).await;
    let secrets = &rotated.ok("/data/rotateWebhookEndpoint")["webhookEndpoint"]["secrets"];
    assert_eq!((&secrets[1]["secret"], &secrets[0]["expiresAt"]), (&json!(endpoint.secret), &Value::Null));
    assert!(secrets[1]["expiresAt"].is_string());
    let new = secrets[0]["secret"].as_str().unwrap().to_owned();
    assert_ne!(new, endpoint.secret);
    let request = next(&hooks, &receiver).await;
    assert_eq!(signatures(&request), 2);
    assert!(verifies(&request, &new) && verifies(&request, &endpoint.secret));
    hooks.later(TimeDelta::minutes(119)).await;
    assert!(verifies(&next(&hooks, &receiver).await, &endpoint.secret));
    hooks.later(TimeDelta::minutes(1)).await;
    let request = next(&hooks, &receiver).await;
    assert_eq!(signatures(&request), 1);
    assert!(verifies(&request, &new) && !verifies(&request, &endpoint.secret));
    assert_eq!(hooks.secrets(&endpoint).await, [new]);
}

#[tokio::test]
async fn a_secret_that_became_known_is_replaced_at_once() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    rotate(&hooks, &endpoint, json!(24)).await.ok("/data/rotateWebhookEndpoint");
    let second = hooks.secrets(&endpoint).await[0].clone();
    rotate(&hooks, &endpoint, json!(0)).await.ok("/data/rotateWebhookEndpoint");
    let secrets = hooks.secrets(&endpoint).await;
    assert_eq!(secrets.len(), 1);
    let request = next(&hooks, &receiver).await;
    assert!(verifies(&request, &secrets[0]));
    assert!(!verifies(&request, &second) && !verifies(&request, &endpoint.secret));
}

#[tokio::test]
async fn an_overlap_is_between_nothing_and_a_week() {
    let (hooks, others) = (Hooks::shared().await, Hooks::shared().await);
    let endpoint = hooks.endpoint("https://hooks.example.org/", &["*"]).await;
    for hours in [-1, 169, i32::MIN, i32::MAX] {
        let answer = rotate(&hooks, &endpoint, json!(hours)).await;
        assert_eq!(answer.user_errors("/data/rotateWebhookEndpoint"), ["INVALID overlapHours"], "{hours}");
    }
    assert_eq!(hooks.secrets(&endpoint).await, std::slice::from_ref(&endpoint.secret));
    rotate(&hooks, &endpoint, json!(168)).await.ok("/data/rotateWebhookEndpoint");
    // The default is a day.
    let input = json!({ "id": endpoint.id });
    let answer =
        hooks.mutate("rotateWebhookEndpoint", "webhookEndpoint { secrets { expiresAt } }", input).await;
    let until =
        answer.ok("/data/rotateWebhookEndpoint")["webhookEndpoint"]["secrets"][1]["expiresAt"].clone();
    let until = until.as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap() - Utc::now();
    assert!((until - TimeDelta::hours(24)).abs() < TimeDelta::minutes(1), "{until}");
    let answer = rotate(&others, &endpoint, json!(1)).await;
    assert_eq!(answer.user_errors("/data/rotateWebhookEndpoint"), ["NOT_FOUND id"]);
}

#[tokio::test]
async fn a_ping_reaches_that_endpoint_alone_whatever_it_is_told_of() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let pinged = hooks.endpoint(&receiver.url("/pinged"), &["product.deleted"]).await;
    hooks.endpoint(&receiver.url("/all"), &["*"]).await;
    hooks.endpoint(&receiver.url("/pings"), &["webhook_endpoint.pinged", "webhook_endpoint.*"]).await;
    hooks.drain().await;
    receiver.taken();
    hooks.done("ping", "WebhookEndpoint", "id", json!({ "id": pinged.id })).await;
    hooks.drain().await;
    let requests = receiver.taken();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].path.as_str(), requests[0].about()), ("/pinged", pinged.id.clone()));
    assert_eq!(requests[0].kind(), "webhook_endpoint.pinged");
    assert!(verifies(&requests[0], &pinged.secret));
    hooks.change(&pinged, json!({ "active": false })).await;
    let refused =
        hooks.mutate("pingWebhookEndpoint", "webhookEndpoint { id }", json!({ "id": pinged.id })).await;
    assert_eq!(refused.user_errors("/data/pingWebhookEndpoint"), ["INVALID_TRANSITION id"]);
    hooks.drain().await;
    assert!(receiver.taken().iter().all(|request| request.kind() != "webhook_endpoint.pinged"));
}

#[tokio::test]
async fn only_an_admin_sees_endpoints_secrets_deliveries_and_dead_letters() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/only-ours"), &["contact.*"]).await;
    hooks.contact("Seen").await;
    hooks.drain().await;
    let delivery = hooks.delivery(&endpoint).await;
    let queries = [
        "query ($endpoint: ID!, $delivery: ID!) { webhookEndpoint(id: $endpoint) { id secrets { secret } } node(id: $delivery) { id } }",
        "query ($endpoint: ID!, $delivery: ID!) { node(id: $endpoint) { ... on WebhookEndpoint { url secrets { secret } } } webhookDelivery(id: $delivery) { id } }",
        "query ($endpoint: ID!, $delivery: ID!) { nodes(ids: [$endpoint, $delivery]) { id ... on WebhookDelivery { endpoint { url secrets { secret } } } } }",
        "{ webhookEndpoints { nodes { url secrets { secret } deliveries { nodes { id } } } } }",
        "{ webhookDeliveries { nodes { id endpoint { url secrets { secret } } } } }",
        "{ deadLetters { nodes { id } } }",
    ];
    let variables = |query: &str| match query.starts_with("query") {
        true => json!({ "endpoint": endpoint.id, "delivery": delivery["id"] }),
        false => json!({}),
    };
    for query in queries {
        let answer = hooks.client.run(query, variables(query)).await;
        assert!(answer.errors().is_empty(), "{}", answer.body);
    }
    let mut others = vec![hooks.client.colleague(&[]).await];
    for role in Role::items().iter().filter(|role| role.name != "ADMIN") {
        others.push(hooks.client.colleague(&[role.name]).await);
    }
    assert_eq!(others.len(), Role::items().len());
    for other in others {
        for query in queries {
            let answer = other.run(query, variables(query)).await;
            let text = answer.body.to_string();
            assert!(answer.errors().iter().any(|error| error.starts_with("FORBIDDEN")), "{text}");
            for secret in ["whsec_", "/only-ours", &endpoint.id] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn no_secret_stands_anywhere_but_in_its_own_table() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["*"]).await;
    hooks.change(&endpoint, json!({ "description": "Changed" })).await;
    hooks.endpoint("https://hooks.example.org/", &["*"]).await;
    rotate(&hooks, &endpoint, json!(24)).await.ok("/data/rotateWebhookEndpoint");
    hooks.done("ping", "WebhookEndpoint", "id", json!({ "id": endpoint.id })).await;
    receiver.says(&Reply::status(500));
    hooks.drain().await;
    let own = format!("organisation_id = '{}'", hooks.client.organisation_id());
    let secrets = hooks.sql(&format!("SELECT secret FROM webhook_secrets WHERE {own}")).await;
    assert_eq!(secrets.len(), 3);
    for table in
        ["audit_entries", "webhook_endpoints", "webhook_deliveries", "events", "jobs", "dead_letters"]
    {
        let rows = hooks.sql(&format!("SELECT to_jsonb(it)::text FROM {table} it WHERE {own}")).await;
        assert_eq!(rows.is_empty(), table == "dead_letters", "{table}");
        for secret in secrets.iter().map(|secret| secret.trim_start_matches("whsec_")) {
            assert!(rows.iter().all(|row| !row.contains(secret)), "{table}");
        }
    }
}
