//! Dead letters and replays.

use super::*;

/// The maximum number of attempts.
const ATTEMPTS: usize = 12;
/// Longer than the longest wait between two attempts.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(7);

async fn replay_letter(hooks: &Hooks, letter: &Value) -> Answer {
    let selection = "deadLetter { id state settledAt }";
    hooks.mutate("replayDeadLetter", selection, json!({ "id": letter["id"] })).await
}

async fn replay_delivery(hooks: &Hooks, delivery: &Value) -> Answer {
    let selection = "webhookDelivery { id state error }";
    hooks.mutate("replayWebhookDelivery", selection, json!({ "id": delivery["id"] })).await
}

/// An endpoint whose URL is no longer allowed, with a delivery that failed at once.
async fn given_up(hooks: &Hooks) -> (Endpoint, Value) {
    let endpoint = hooks.endpoint("https://hooks.example.org/", &["contact.*"]).await;
    // As if the rules had been different when it was created.
    let inward =
        format!("UPDATE webhook_endpoints SET url = 'https://10.0.0.1/' WHERE id = '{}'", uuid(&endpoint.id));
    superuser(&hooks.database).await.batch_execute(&inward).await.unwrap();
    hooks.contact("Given up").await;
    hooks.drain().await;
    let mut letters = hooks.dead_letters().await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    (endpoint, letters.remove(0))
}

async fn leads_to(hooks: &Hooks, endpoint: &Endpoint, receiver: &Receiver) {
    hooks.change(endpoint, json!({ "url": receiver.url("/") })).await;
}

#[tokio::test]
async fn after_the_last_attempt_a_dead_letter_waits_to_be_replayed() {
    let (mut hooks, receiver) = (Hooks::own("last_attempt").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.answers(|request| Reply::status(if request.kind() == "contact.created" { 500 } else { 200 }));
    let contact = hooks.contact("Dead").await;
    hooks.contact_is("update", &contact, json!({ "name": "Received" })).await;
    hooks.drain().await;
    for attempt in 1..ATTEMPTS {
        assert_eq!(receiver.received().len(), attempt);
        assert_eq!(hooks.states(&endpoint).await, ["contact.created PENDING", "contact.updated PENDING"]);
        assert!(hooks.dead_letters().await.is_empty());
        hooks.later(LONGEST_WAIT).await;
    }
    let requests = receiver.taken();
    let kinds: Vec<_> = requests.iter().map(Received::kind).collect();
    assert_eq!(kinds[..ATTEMPTS], vec!["contact.created"; ATTEMPTS]);
    assert_eq!(kinds[ATTEMPTS..], ["contact.updated"], "what is given up holds nobody up");
    assert_eq!(hooks.states(&endpoint).await, ["contact.created FAILED", "contact.updated DELIVERED"]);

    let letters = hooks.dead_letters().await;
    let letter = &letters[0];
    assert_eq!(
        (letters.len(), &letter["kind"], &letter["attempts"]),
        (1, &json!("webhook"), &json!(ATTEMPTS))
    );
    assert!(letter["summary"].as_str().unwrap().contains("contact.created"), "{letter}");
    assert!(letter["lastError"].as_str().unwrap().contains("500"), "{letter}");
    // A replay that fails ends as the same dead letter.
    let replayed = replay_letter(&hooks, letter).await;
    assert_eq!(replayed.ok("/data/replayDeadLetter")["deadLetter"]["id"], letter["id"]);
    assert!(hooks.dead_letters().await.is_empty());
    assert_eq!(hooks.states(&endpoint).await[0], "contact.created PENDING");
    assert_eq!(
        replay_letter(&hooks, letter).await.user_errors("/data/replayDeadLetter"),
        ["INVALID_TRANSITION id"]
    );
    hooks.drain().await;
    for _ in 1..ATTEMPTS {
        hooks.later(LONGEST_WAIT).await;
    }
    let again = hooks.dead_letters().await;
    assert_eq!(
        (again.len(), &again[0]["id"], &again[0]["attempts"]),
        (1, &letter["id"], &json!(2 * ATTEMPTS))
    );
    // And one that succeeds.
    receiver.taken();
    receiver.says(&Reply::status(200));
    hooks.change(&endpoint, json!({ "active": true })).await;
    replay_letter(&hooks, &again[0]).await.ok("/data/replayDeadLetter");
    hooks.drain().await;
    let helped = receiver.taken();
    assert_eq!(helped.len(), 1);
    assert_eq!(helped[0].header("webhook-id"), requests[0].header("webhook-id"));
    assert_eq!(helped[0].body, requests[0].body);
    assert_eq!(hooks.states(&endpoint).await, ["contact.created DELIVERED", "contact.updated DELIVERED"]);
    assert!(hooks.dead_letters().await.is_empty());
}

#[tokio::test]
async fn what_may_not_be_sent_is_given_up_at_once_and_a_dead_letter_can_be_dismissed() {
    let hooks = Hooks::shared().await;
    let (endpoint, letter) = given_up(&hooks).await;
    assert_eq!((&letter["attempts"], &letter["revision"]), (&json!(1), &json!(1)));
    let delivery = hooks.delivery(&endpoint).await;
    assert_eq!((&delivery["state"], &delivery["responseStatus"]), (&json!("FAILED"), &Value::Null));
    assert_eq!(delivery["error"], "The URL must lead to a public address.");
    let dismiss = |revision| json!({ "id": letter["id"], "expectedRevision": revision });
    let stale = hooks.mutate("dismissDeadLetter", "deadLetter { revision state }", dismiss(2)).await;
    assert_eq!(stale.user_errors("/data/dismissDeadLetter"), ["CONFLICT expectedRevision"]);
    assert_eq!(*stale.at("/data/dismissDeadLetter/deadLetter"), json!({ "revision": 1, "state": "WAITING" }));
    hooks.done("dismiss", "DeadLetter", "id", dismiss(1)).await;
    assert!(hooks.dead_letters().await.is_empty());
    let answer = replay_letter(&hooks, &letter).await;
    assert_eq!(answer.user_errors("/data/replayDeadLetter"), ["INVALID_TRANSITION id"]);
    let details = json!({ "from": "DISMISSED", "to": "REPLAYED", "allowed": [] });
    assert_eq!(*answer.at("/data/replayDeadLetter/userErrors/0/details"), details);
    let receiver = Receiver::open().await;
    leads_to(&hooks, &endpoint, &receiver).await;
    hooks.drain().await;
    assert!(receiver.taken().is_empty());
    assert_eq!(hooks.delivery(&endpoint).await["state"], "FAILED");
}

#[tokio::test]
async fn a_replayed_delivery_takes_its_dead_letter_with_it() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let (endpoint, letter) = given_up(&hooks).await;
    leads_to(&hooks, &endpoint, &receiver).await;
    let delivery = hooks.delivery(&endpoint).await;
    let replayed = replay_delivery(&hooks, &delivery).await;
    let replayed = &replayed.ok("/data/replayWebhookDelivery")["webhookDelivery"];
    assert_eq!((&replayed["state"], &replayed["error"]), (&json!("PENDING"), &Value::Null));
    assert!(hooks.dead_letters().await.is_empty());
    assert_eq!(
        replay_letter(&hooks, &letter).await.user_errors("/data/replayDeadLetter"),
        ["INVALID_TRANSITION id"]
    );
    hooks.drain().await;
    assert_eq!(receiver.kinds(), ["contact.created"]);
    assert_eq!(hooks.delivery(&endpoint).await["state"], "DELIVERED");
}

#[tokio::test]
async fn what_was_delivered_can_be_sent_again_under_the_same_id() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    hooks.contact("Twice").await;
    hooks.drain().await;
    let delivery = hooks.delivery(&endpoint).await;
    replay_delivery(&hooks, &delivery).await.ok("/data/replayWebhookDelivery");
    // Two concurrent replays count as one.
    replay_delivery(&hooks, &delivery).await.ok("/data/replayWebhookDelivery");
    hooks.drain().await;
    let requests = receiver.taken();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_eq!(requests[0].body, requests[1].body);
    let delivery = hooks.delivery(&endpoint).await;
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("DELIVERED"), &json!(2)));
}

#[tokio::test]
async fn what_waits_is_sent_at_once_and_what_is_being_sent_is_left_alone() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.says(&Reply::status(500));
    hooks.contact("Waiting").await;
    hooks.drain().await;
    let delivery = hooks.delivery(&endpoint).await;
    let of_delivery = format!("WHERE id = '{}'", uuid(delivery["id"].as_str().unwrap()));
    let behind = superuser(&hooks.database).await;
    let claimed = format!("UPDATE jobs SET lease = gen_random_uuid() {of_delivery}");
    behind.batch_execute(&claimed).await.unwrap();
    let replayed = replay_delivery(&hooks, &delivery).await;
    assert_eq!(replayed.user_errors("/data/replayWebhookDelivery"), ["INVALID_TRANSITION id"]);
    behind.batch_execute(&format!("UPDATE jobs SET lease = NULL {of_delivery}")).await.unwrap();
    receiver.says(&Reply::status(200));
    replay_delivery(&hooks, &delivery).await.ok("/data/replayWebhookDelivery");
    hooks.drain().await;
    assert_eq!(receiver.taken().len(), 2);
    assert_eq!(hooks.delivery(&endpoint).await["state"], "DELIVERED");
}

#[tokio::test]
async fn nothing_is_sent_again_to_an_endpoint_that_is_switched_off() {
    let (hooks, receiver) = (Hooks::shared().await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    hooks.contact("Once").await;
    hooks.drain().await;
    let off = json!({ "id": endpoint.id, "expectedRevision": 1, "active": false });
    hooks
        .mutate("updateWebhookEndpoint", "webhookEndpoint { id }", off)
        .await
        .ok("/data/updateWebhookEndpoint");
    let replayed = replay_delivery(&hooks, &hooks.delivery(&endpoint).await).await;
    assert_eq!(replayed.user_errors("/data/replayWebhookDelivery"), ["INVALID_TRANSITION id"]);
    assert_eq!(hooks.delivery(&endpoint).await["state"], "DELIVERED");
}

#[tokio::test]
async fn another_organisations_deliveries_and_dead_letters_cannot_be_replayed() {
    let (hooks, others) = (Hooks::shared().await, Hooks::shared().await);
    let (endpoint, letter) = given_up(&hooks).await;
    let delivery = hooks.delivery(&endpoint).await;
    let answer = replay_delivery(&others, &delivery).await;
    assert_eq!(answer.user_errors("/data/replayWebhookDelivery"), ["NOT_FOUND id"]);
    let answer = replay_letter(&others, &letter).await;
    assert_eq!(answer.user_errors("/data/replayDeadLetter"), ["NOT_FOUND id"]);
    assert_eq!(hooks.dead_letters().await, [letter]);
    assert_eq!(hooks.delivery(&endpoint).await, delivery);
}

#[tokio::test]
async fn a_worker_that_dies_at_the_last_attempt_leaves_no_delivery_behind() {
    let (mut hooks, receiver) = (Hooks::own("dies_last").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.says(&Reply::status(500));
    hooks.contact("Lost").await;
    hooks.drain().await;
    // The state after a worker was killed during the last attempt.
    let claimed = "UPDATE jobs SET attempts = 12, lease = gen_random_uuid(), run_at = now()
                   WHERE kind = 'webhook'";
    superuser(&hooks.database).await.batch_execute(claimed).await.unwrap();
    hooks.drain().await;
    assert_eq!(receiver.taken().len(), 1);
    assert_eq!(hooks.dead_letters().await.len(), 1);
    assert_eq!(hooks.delivery(&endpoint).await["state"], "FAILED", "it is not on its way any more");
    receiver.says(&Reply::status(200));
    let delivery = hooks.delivery(&endpoint).await;
    replay_delivery(&hooks, &delivery).await.ok("/data/replayWebhookDelivery");
    hooks.later(TimeDelta::seconds(1)).await;
    assert_eq!(hooks.delivery(&endpoint).await["state"], "DELIVERED");
}
