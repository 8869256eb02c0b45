//! Failing receivers: their deliveries are retried, in order, and none is lost.

use super::*;

fn created(request: &Received) -> bool {
    request.kind() == "contact.created"
}

/// Takes the kind and contact of each request since the last call.
fn delivered(receiver: &Receiver) -> Vec<(String, String)> {
    receiver.taken().iter().map(|request| (request.kind(), request.about())).collect()
}

#[tokio::test]
async fn what_fails_is_tried_again_after_a_while_under_the_same_id() {
    let (mut hooks, receiver) = (Hooks::own("failing").await, Receiver::open().await);
    let to = receiver.url("/elsewhere");
    let cases = [
        (Reply::status(500).with_body("out of order"), json!(500), json!("out of order"), "status 500"),
        (Reply::status(404), json!(404), Value::Null, "status 404"),
        (Reply::status(302).with_header("location", &to), json!(302), Value::Null, "redirect"),
        (Reply::Close, Value::Null, Value::Null, "closed the connection"),
    ];
    for (reply, status, body, error) in cases {
        let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
        receiver.says(&reply);
        hooks.contact("Tried").await;
        hooks.drain().await;
        let first = hooks.delivery(&endpoint).await;
        assert_eq!(
            (&first["state"], &first["attempts"], &first["responseStatus"], &first["responseBody"]),
            (&json!("PENDING"), &json!(1), &status, &body)
        );
        assert!(first["error"].as_str().unwrap().contains(error), "{first}");
        assert!(hooks.read(&endpoint).await["failingSince"].is_string());
        // 5 seconds, then 20, shortened at random by up to 30 %.
        hooks.later(TimeDelta::seconds(5)).await;
        hooks.drain().await;
        hooks.later(TimeDelta::seconds(10)).await;
        assert_eq!(receiver.received().len(), 2, "not before its time");
        receiver.says(&Reply::status(204));
        hooks.later(TimeDelta::seconds(10)).await;
        let requests = receiver.taken();
        assert_eq!(requests.len(), 3);
        for request in &requests {
            assert_eq!(request.path, "/", "redirects are not followed");
            assert_eq!(request.header("webhook-id"), requests[0].header("webhook-id"));
            assert_eq!(request.body, requests[0].body);
            assert!(signed::verifies(request, &endpoint.secret));
        }
        let timestamps: Vec<i64> =
            requests.iter().map(|request| request.header("webhook-timestamp").parse().unwrap()).collect();
        assert!(timestamps.windows(2).all(|two| two[0] < two[1]), "of the attempt, not of the event");
        let last = hooks.delivery(&endpoint).await;
        assert_eq!(
            (&last["state"], &last["attempts"], &last["responseStatus"], &last["error"]),
            (&json!("DELIVERED"), &json!(3), &json!(204), &Value::Null)
        );
        assert_eq!(hooks.read(&endpoint).await["failingSince"], Value::Null);
        hooks.change(&endpoint, json!({ "active": false })).await;
    }
    assert!(hooks.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_receiver_can_ask_for_time() {
    let (mut hooks, receiver) = (Hooks::own("asks_for_time").await, Receiver::open().await);
    hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.says(&Reply::status(503).with_header("retry-after", "3600"));
    hooks.contact("Patient").await;
    hooks.drain().await;
    hooks.later(TimeDelta::minutes(59)).await;
    assert_eq!(receiver.received().len(), 1);
    hooks.later(TimeDelta::minutes(1)).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn later_events_of_a_contact_wait_for_the_earlier_and_nobody_elses_do() {
    let (mut hooks, receiver) = (Hooks::own("in_order").await, Receiver::open().await);
    let (slow, quick) = (receiver.url("/slow"), receiver.url("/quick"));
    let endpoint = hooks.endpoint(&slow, &["contact.*"]).await;
    hooks.endpoint(&quick, &["contact.*"]).await;
    let held = hooks.contact("Held").await;
    let held_id = id(&held);
    let holding = held_id.clone();
    receiver.answers(move |request| {
        let fails = request.path == "/slow" && request.about() == holding && created(request);
        Reply::status(if fails { 500 } else { 200 })
    });
    let held = hooks.contact_is("update", &held, json!({ "name": "Held again" })).await;
    let free = id(&hooks.contact("Free").await);
    hooks.drain().await;
    // Later events of the entity wait too.
    hooks.contact_is("delete", &held, json!({})).await;
    hooks.drain().await;
    let of = |path: &str, about: &str| -> Vec<String> {
        let requests = receiver.received();
        let own = requests.iter().filter(|request| request.path == path && request.about() == about);
        own.map(|request| request.kind().replace("contact.", "")).collect()
    };
    assert_eq!(of("/slow", &held_id), ["created"]);
    assert_eq!(of("/slow", &free), ["created"]);
    assert_eq!(of("/quick", &held_id), ["created", "updated", "deleted"]);
    let states = [
        "contact.created DELIVERED",
        "contact.created PENDING",
        "contact.deleted PENDING",
        "contact.updated PENDING",
    ];
    assert_eq!(hooks.states(&endpoint).await, states);
    receiver.says(&Reply::status(200));
    hooks.later(TimeDelta::seconds(6)).await;
    assert_eq!(of("/slow", &held_id), ["created", "created", "updated", "deleted"]);
    assert_eq!(of("/quick", &held_id).len(), 3);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_switched_off() {
    let (mut hooks, receiver) = (Hooks::own("gone").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.says(&Reply::status(410));
    let contact = hooks.contact("Gone").await;
    hooks.contact_is("update", &contact, json!({ "name": "Never heard" })).await;
    hooks.drain().await;
    assert_eq!(delivered(&receiver), [("contact.created".to_owned(), id(&contact))]);
    assert_eq!(hooks.read(&endpoint).await["active"], false);
    hooks.contact("Later").await;
    receiver.says(&Reply::status(200));
    hooks.later(TimeDelta::days(2)).await;
    assert!(receiver.taken().is_empty());
    assert_eq!(hooks.states(&endpoint).await, ["contact.created FAILED", "contact.updated FAILED"]);
    assert!(hooks.dead_letters().await.is_empty(), "it was asked for");
    // The owner can enable it again.
    hooks.change(&endpoint, json!({ "active": true })).await;
    let contact = hooks.contact("Received").await;
    hooks.drain().await;
    assert_eq!(delivered(&receiver), [("contact.created".to_owned(), id(&contact))]);
    assert_eq!(hooks.read(&endpoint).await["failingSince"], Value::Null);
}

#[tokio::test]
async fn five_days_of_failure_switch_an_endpoint_off() {
    let (mut hooks, receiver) = (Hooks::own("five_days").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.says(&Reply::status(500));
    hooks.contact("First").await;
    hooks.drain().await;
    let failing = hooks.read(&endpoint).await;
    hooks.contact("Second").await;
    hooks.later(TimeDelta::hours(5 * 24 - 1)).await;
    let still = hooks.read(&endpoint).await;
    assert_eq!((&still["active"], &still["failingSince"]), (&json!(true), &failing["failingSince"]));
    hooks.contact("Third").await;
    let before = receiver.taken().len();
    assert!(before >= 3, "{before}");
    hooks.later(TimeDelta::hours(2)).await;
    assert_eq!(hooks.read(&endpoint).await["active"], false);
    assert!(!receiver.taken().is_empty());
    hooks.later(TimeDelta::days(1)).await;
    assert!(receiver.taken().is_empty(), "who is switched off is told nothing, not even the old");
    let states = hooks.states(&endpoint).await;
    assert_eq!(states, ["contact.created FAILED"; 3]);
}

#[tokio::test]
async fn who_is_switched_on_again_after_five_days_has_five_more() {
    let (mut hooks, receiver) = (Hooks::own("five_more").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.says(&Reply::status(500));
    hooks.contact("First").await;
    hooks.drain().await;
    hooks.later(TimeDelta::days(6)).await;
    assert_eq!(hooks.read(&endpoint).await["active"], false);
    hooks.change(&endpoint, json!({ "active": true })).await;
    hooks.contact("Second").await;
    hooks.drain().await;
    assert_eq!(hooks.read(&endpoint).await["active"], true);
}

#[tokio::test]
async fn one_success_ends_the_count_of_days() {
    let (mut hooks, receiver) = (Hooks::own("one_success").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.says(&Reply::status(500));
    hooks.contact("First").await;
    hooks.drain().await;
    receiver.says(&Reply::status(200));
    hooks.later(TimeDelta::days(4)).await;
    assert_eq!(hooks.read(&endpoint).await["failingSince"], Value::Null);
    receiver.says(&Reply::status(500));
    hooks.contact("Second").await;
    hooks.later(TimeDelta::days(2)).await;
    let failing = hooks.read(&endpoint).await;
    assert!(failing["active"] == true && failing["failingSince"].is_string(), "{failing}");
}

#[tokio::test]
async fn what_waits_for_an_endpoint_that_is_switched_off_is_given_up() {
    let (mut hooks, receiver) = (Hooks::own("switched_off").await, Receiver::open().await);
    let off = hooks.endpoint(&receiver.url("/off"), &["contact.*"]).await;
    let deleted = hooks.endpoint(&receiver.url("/deleted"), &["contact.*"]).await;
    receiver.says(&Reply::status(500));
    hooks.contact("Waiting").await;
    hooks.drain().await;
    assert_eq!(receiver.taken().len(), 2);
    hooks.change(&off, json!({ "active": false })).await;
    let revision = hooks.read(&deleted).await["revision"].clone();
    let delete = json!({ "id": deleted.id, "expectedRevision": revision });
    hooks.done("delete", "WebhookEndpoint", "id", delete).await;
    receiver.says(&Reply::status(200));
    hooks.later(TimeDelta::seconds(6)).await;
    assert!(receiver.taken().is_empty());
    let delivery = hooks.delivery(&off).await;
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("FAILED"), &json!(1)));
    assert!(delivery["error"].as_str().unwrap().contains("switched off"), "{delivery}");
    let states = hooks.sql("SELECT state FROM webhook_deliveries").await;
    assert_eq!(states, ["FAILED", "FAILED"]);
    assert!(hooks.dead_letters().await.is_empty());
}
