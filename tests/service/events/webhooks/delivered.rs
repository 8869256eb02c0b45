//! The recipients of events, and the form of requests.

use std::collections::BTreeSet;

use super::signed::{signatures, verifies};
use super::*;

#[tokio::test]
async fn an_endpoint_is_told_of_everything_in_its_order_and_signed() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/hooks?of=ours"), &["contact.*"]).await;
    let other = hooks.endpoint(&receiver.url("/other"), &["product.*"]).await;
    let contact = hooks.contact("First").await;
    let contact =
        hooks.contact_is("update", &contact, json!({ "name": "Second", "notes": "a secret note" })).await;
    let contact = hooks.contact_is("delete", &contact, json!({})).await;
    let contact = hooks.contact_is("restore", &contact, json!({})).await;
    assert!(receiver.received().is_empty(), "nothing is sent while somebody waits for an answer");
    hooks.drain().await;
    let requests = receiver.taken();
    let kinds: Vec<_> = requests.iter().map(Received::kind).collect();
    assert_eq!(kinds, ["contact.created", "contact.updated", "contact.deleted", "contact.restored"]);
    for request in &requests {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hooks?of=ours"));
        assert_eq!(request.header("content-type"), "application/json");
        assert!(request.header("webhook-id").starts_with("event_"), "{request:?}");
        assert!(request.header("user-agent").starts_with("Tessera-Webhooks/"), "{request:?}");
        let sent: i64 = request.header("webhook-timestamp").parse().unwrap();
        assert!((Utc::now().timestamp() - sent).abs() < 60, "{request:?}");
        assert_eq!(signatures(request), 1);
        assert!(verifies(request, &endpoint.secret));
        assert!(!verifies(request, &other.secret), "each endpoint has a secret of its own");
        let changed = Received { body: request.body.replace("contact.", "product."), ..request.clone() };
        assert!(!verifies(&changed, &endpoint.secret));
        let body = request.json();
        let mut data = json!({ "id": contact["id"] });
        if body["type"] == "contact.updated" {
            data["changed"] = json!(["name", "notes"]);
        }
        let expected = json!({ "type": body["type"], "timestamp": body["timestamp"], "data": data });
        assert_eq!(body, expected, "ids and names of fields, no values");
        let happened = body["timestamp"].as_str().unwrap().parse::<chrono::DateTime<Utc>>().unwrap();
        assert!((Utc::now() - happened).abs() < TimeDelta::minutes(1), "{happened}");
    }
    let ids: BTreeSet<_> = requests.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!(ids.len(), 4);
    hooks.drain().await;
    assert!(receiver.taken().is_empty(), "once delivered is enough");
    for delivery in hooks.deliveries(&endpoint).await {
        assert_eq!(
            (&delivery["state"], &delivery["attempts"], &delivery["responseStatus"], &delivery["error"]),
            (&json!("DELIVERED"), &json!(1), &json!(200), &Value::Null)
        );
        assert!(delivery["lastAttemptAt"].is_string() && delivery["durationMs"].is_number());
        assert_eq!(delivery["endpoint"]["id"], endpoint.id);
    }
    assert_eq!(hooks.deliveries(&endpoint).await.len(), 4);
    assert!(hooks.deliveries(&other).await.is_empty());
}

#[tokio::test]
async fn an_endpoint_hears_what_its_filter_says_and_nothing_else() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let cases: [(&str, &[&str], &[&str]); 5] = [
        ("/all", &["*"], &["contact.created", "contact.updated", "product.created"]),
        ("/exact", &["contact.created"], &["contact.created"]),
        ("/star", &["contact.*"], &["contact.created", "contact.updated"]),
        ("/two", &["product.created", "contact.updated"], &["contact.updated", "product.created"]),
        ("/other", &["dead_letter.*", "contact.deleted"], &[]),
    ];
    for (path, kinds, _) in cases {
        hooks.endpoint(&receiver.url(path), kinds).await;
    }
    hooks.drain().await;
    // Events of endpoints are sent to those that receive all events.
    assert!(receiver.taken().iter().all(|request| request.path == "/all"));
    let contact = hooks.contact("Filtered").await;
    hooks.contact_is("update", &contact, json!({ "name": "Again" })).await;
    hooks.done("create", "Product", "id", json!({ "name": "Filtered" })).await;
    hooks.drain().await;
    let requests = receiver.taken();
    for (path, _, expected) in cases {
        let of_path = requests.iter().filter(|request| request.path == path);
        let mut heard: Vec<_> = of_path.map(Received::kind).collect();
        // Events of different entities are not ordered.
        heard.sort();
        assert_eq!(heard, expected, "{path}");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_switched_off_hears_nothing_until_it_is_switched_on() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    hooks.change(&endpoint, json!({ "active": false })).await;
    hooks.contact("Unheard").await;
    hooks.drain().await;
    assert!(receiver.taken().is_empty() && hooks.deliveries(&endpoint).await.is_empty());
    hooks.change(&endpoint, json!({ "active": true })).await;
    let heard = hooks.contact("Received").await;
    hooks.drain().await;
    let requests = receiver.taken();
    assert_eq!(requests.iter().map(Received::about).collect::<Vec<_>>(), [id(&heard)]);
}

#[tokio::test]
async fn a_deleted_endpoint_hears_nothing() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["*"]).await;
    hooks.drain().await;
    assert_eq!(receiver.kinds(), ["webhook_endpoint.created"]);
    let delete = json!({ "id": endpoint.id, "expectedRevision": 1 });
    hooks.done("delete", "WebhookEndpoint", "id", delete).await;
    hooks.contact("Unheard").await;
    hooks.drain().await;
    assert!(receiver.taken().is_empty());
    assert_eq!(hooks.read(&endpoint).await, Value::Null);
}

#[tokio::test]
async fn another_organisation_hears_nothing() {
    let (hooks, others) = (Hooks::shared().await, Hooks::shared().await);
    let (receiver, elsewhere) = (Receiver::open().await, Receiver::open().await);
    hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    let other = others.endpoint(&elsewhere.url("/"), &["contact.*"]).await;
    hooks.contact("Ours").await;
    hooks.drain().await;
    others.drain().await;
    assert_eq!(receiver.kinds(), ["contact.created"]);
    assert!(elsewhere.taken().is_empty() && others.deliveries(&other).await.is_empty());
}

#[tokio::test]
async fn what_was_refused_or_only_tried_is_told_to_nobody() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    let contact = hooks.contact("Kept").await;
    hooks.drain().await;
    assert_eq!(receiver.kinds(), ["contact.created"]);
    let stale = json!({ "id": contact["id"], "expectedRevision": 7, "name": "Stale" });
    let answer = hooks.mutate("updateContact", "contact { id }", stale).await;
    assert_eq!(answer.user_errors("/data/updateContact"), ["CONFLICT expectedRevision"]);
    let wrong = json!({ "id": contact["id"], "expectedRevision": 1, "name": "" });
    assert!(
        !hooks
            .mutate("updateContact", "contact { id }", wrong)
            .await
            .user_errors("/data/updateContact")
            .is_empty()
    );
    let tried = json!({ "contacts": [{ "name": "Tried" }], "dryRun": true });
    hooks.mutate("createContacts", "validCount", tried).await.ok("/data/createContacts");
    let halves = json!({ "contacts": [{ "name": "Good" }, { "name": "" }] });
    hooks.mutate("createContacts", "validCount", halves).await.ok("/data/createContacts");
    hooks.drain().await;
    assert!(receiver.taken().is_empty());
}
