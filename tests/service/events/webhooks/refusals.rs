//! Invalid endpoints are refused when they are created or changed.

use super::*;

/// Invalid URLs, each with a part of its error message.
fn wrong_urls() -> Vec<(String, &'static str)> {
    let wrong = [
        ("", ""),
        ("nonsense", "no URL"),
        ("//example.org/", "no URL"),
        ("https://", "no URL"),
        ("http://example.com", "https://"),
        ("ftp://example.com/", "https://"),
        ("https://10.0.0.1/", "public address"),
        ("https://192.168.1.1:8443/hook", "public address"),
        ("https://169.254.169.254/latest/meta-data", "public address"),
        ("http://169.254.169.254/latest/meta-data", "https://"),
        ("https://[fd00::1]/", "public address"),
        ("https://[::ffff:10.0.0.1]/", "public address"),
        ("https://0xa000001/", "public address"),
        ("https://db.internal/", "public address"),
        ("https://ada:secret@example.org/", "user name"),
        ("https://ada@example.org/", "user name"),
        ("https://example.org/#part", "fragment"),
        ("https://example.org:0/", "Port 0"),
    ];
    let long = format!("https://example.org/{}", "x".repeat(2_980));
    wrong.into_iter().map(|(url, why)| (url.to_owned(), why)).chain([(long, "")]).collect()
}

async fn nothing_is_stored(hooks: &Hooks) {
    hooks.drain().await;
    for table in ["webhook_endpoints", "webhook_secrets", "webhook_deliveries", "events", "jobs"] {
        // The mail of the sign-up is always there.
        let of = if table == "jobs" { "kind <> 'mail' AND" } else { "" };
        let id = hooks.client.organisation_id();
        let own = format!("SELECT 1 FROM {table} WHERE {of} organisation_id = '{id}'");
        assert!(hooks.sql(&own).await.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn an_address_that_leads_inwards_or_nowhere_is_refused() {
    let hooks = Hooks::shared().await;
    for (url, why) in wrong_urls() {
        let input = json!({ "url": url, "eventKinds": ["*"] });
        let answer = hooks.mutate("createWebhookEndpoint", "webhookEndpoint { id }", input).await;
        assert_eq!(
            answer.user_errors("/data/createWebhookEndpoint"),
            ["INVALID webhookEndpoint.url"],
            "{url}"
        );
        let message = answer.at("/data/createWebhookEndpoint/userErrors/0/message").as_str().unwrap();
        assert!(message.contains(why) && message.ends_with('.'), "{url}: {message}");
        assert!(!message.contains("secret"), "{message}");
    }
    nothing_is_stored(&hooks).await;
}

#[tokio::test]
async fn an_endpoint_cannot_be_led_inwards_later() {
    let hooks = Hooks::shared().await;
    let endpoint = hooks.endpoint("https://hooks.example.org/", &["contact.*"]).await;
    let before = hooks.read(&endpoint).await;
    for (url, _) in wrong_urls() {
        let input = json!({ "id": endpoint.id, "expectedRevision": 1, "url": url });
        let answer = hooks.mutate("updateWebhookEndpoint", "webhookEndpoint { id }", input).await;
        assert_eq!(answer.user_errors("/data/updateWebhookEndpoint"), ["INVALID url"], "{url}");
    }
    let input = json!({ "id": endpoint.id, "expectedRevision": 1, "eventKinds": ["contact.*", "all"] });
    let answer = hooks.mutate("updateWebhookEndpoint", "webhookEndpoint { id }", input).await;
    assert_eq!(answer.user_errors("/data/updateWebhookEndpoint"), ["INVALID eventKinds.1"]);
    assert_eq!(hooks.read(&endpoint).await, before);
}

#[tokio::test]
async fn a_kind_that_is_none_is_refused_where_it_stands() {
    let hooks = Hooks::shared().await;
    let long = format!("contact.{}", "x".repeat(100));
    for kind in
        ["contact", "**", "contact.", "Contact.created", "contact created", "contact.created.now", &long]
    {
        let input = json!({ "url": "https://hooks.example.org/", "eventKinds": ["contact.created", kind] });
        let answer = hooks.mutate("createWebhookEndpoint", "webhookEndpoint { id }", input).await;
        assert_eq!(
            answer.user_errors("/data/createWebhookEndpoint"),
            ["INVALID webhookEndpoint.eventKinds.1"],
            "{kind}"
        );
    }
    // An empty list does not mean all events.
    for none in [json!([]), json!([" "])] {
        let input = json!({ "url": "https://hooks.example.org/", "eventKinds": none });
        let answer = hooks.mutate("createWebhookEndpoint", "webhookEndpoint { id }", input).await;
        assert_eq!(answer.user_errors("/data/createWebhookEndpoint"), ["INVALID webhookEndpoint.eventKinds"]);
    }
    nothing_is_stored(&hooks).await;
}

#[tokio::test]
async fn what_is_never_published_cannot_be_asked_for() {
    let hooks = Hooks::shared().await;
    let create = |kinds: Value| {
        let input = json!({ "url": "https://hooks.example.org/", "eventKinds": kinds });
        hooks.mutate("createWebhookEndpoint", "webhookEndpoint { id }", input)
    };
    let answer =
        create(json!(["contact.created", "contact.exploded", "invoice.*", "product.completed"])).await;
    let wrong = [1, 2, 3].map(|place| format!("INVALID webhookEndpoint.eventKinds.{place}"));
    assert_eq!(answer.user_errors("/data/createWebhookEndpoint"), wrong);
    let message = answer.at("/data/createWebhookEndpoint/userErrors/0/message").as_str().unwrap();
    let known = "contact.created, contact.deleted, contact.restored, contact.updated.";
    assert_eq!(message, format!("There is no event \"contact.exploded\"; there are {known}"));
    nothing_is_stored(&hooks).await;
    let known = json!(["dead_letter.replayed", "webhook_endpoint.deleted", "product.*", "*"]);
    create(known).await.ok("/data/createWebhookEndpoint");
}

#[tokio::test]
async fn an_organisation_has_no_more_than_fifty_endpoints() {
    let hooks = Hooks::shared().await;
    let row = json!({ "url": "https://hooks.example.org/", "eventKinds": ["*"] });
    let create = || hooks.mutate("createWebhookEndpoint", "webhookEndpoint { id }", row.clone());
    for _ in 0..50 {
        create().await.ok("/data/createWebhookEndpoint");
    }
    let answer = create().await;
    assert_eq!(answer.at("/data/createWebhookEndpoint/userErrors/0/code"), "LIMIT_REACHED");
    assert_eq!(answer.user_errors("/data/createWebhookEndpoint").len(), 1);
    // Existing endpoints can still be changed.
    let list = "{ webhookEndpoints(first: 1) { nodes { id revision } } }";
    let one = hooks.client.run(list, json!({})).await.ok("/data/webhookEndpoints")["nodes"][0].clone();
    let change = json!({ "id": one["id"], "expectedRevision": one["revision"], "active": false });
    let changed = hooks.mutate("updateWebhookEndpoint", "webhookEndpoint { id }", change).await;
    changed.ok("/data/updateWebhookEndpoint");
    // Nor does a restoration make one more.
    let revision = json!({ "id": one["id"], "expectedRevision": one["revision"].as_i64().unwrap() + 1 });
    let deleted = hooks.mutate("deleteWebhookEndpoint", "webhookEndpoint { id }", revision).await;
    deleted.ok("/data/deleteWebhookEndpoint");
    create().await.ok("/data/createWebhookEndpoint");
    let revision = json!({ "id": one["id"], "expectedRevision": one["revision"].as_i64().unwrap() + 2 });
    let restored = hooks.mutate("restoreWebhookEndpoint", "webhookEndpoint { id }", revision).await;
    assert_eq!(restored.user_errors("/data/restoreWebhookEndpoint"), ["LIMIT_REACHED id"]);
}
