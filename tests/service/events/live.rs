//! Live fan-out: a listener with the permission receives every committed event of all gateways.

use std::time::Duration;

use events::{Listener, Received, Topic};
use gateway::Service;
use serde_json::{Value, json};
use tenancy::{Addresses, Clock, Failure, ManualClock, Permission, Refusal, RequestId, Scope};
use tokio::{sync::oneshot, time::timeout};
use uuid::Uuid;

use super::{Own, Work};
use crate::harness::{Client, open, organisation, postgres, serve, server, start, superuser, uuid};

/// How long a listener waits for an expected event.
const PATIENCE: Duration = Duration::from_secs(20);

/// A second gateway beside the shared one, with its events.
async fn another(addresses: &Addresses) -> Service {
    let service = open(addresses, &ManualClock::default()).await;
    serve(service.clone()).await;
    service
}

async fn scope(service: &Service, client: &Client) -> Scope {
    service.scope_of(client.access_token.as_ref().unwrap(), RequestId::new()).await.unwrap()
}

async fn listening(service: &Service, client: &Client, topic: Topic) -> Listener {
    let scope = scope(service, client).await;
    service.events().listen(scope, Permission::ReadContacts, topic).await.unwrap()
}

async fn next(listener: &mut Listener) -> Result<Option<Received>, Failure> {
    let next = timeout(PATIENCE, listener.next()).await.unwrap();
    Ok(next?.map(|(_, heard)| heard))
}

/// The kind and entity of the next event.
async fn event(listener: &mut Listener) -> (String, Uuid) {
    match next(listener).await.unwrap() {
        Some(Received::Event(event)) => (event.kind.clone(), event.entity_id),
        other => panic!("{other:?}"),
    }
}

async fn created(client: &Client, name: &str) -> Uuid {
    let contact = client.create_contact(json!({ "kind": "COMPANY", "name": name })).await;
    uuid(contact["id"].as_str().unwrap())
}

async fn renamed(client: &Client, id: Uuid, name: &str, revision: i64) {
    let update =
        "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code } } }";
    let input = json!({ "id": listing::id_text("contact", id), "expectedRevision": revision, "name": name });
    client.mutate(update, input).await.ok("/data/updateContact");
}

#[tokio::test]
async fn what_happens_in_one_gateway_is_heard_in_another() {
    let client = organisation().await;
    let service = another(&server().addresses).await;
    let mut listener = listening(&service, &client, Topic::entity("contact")).await;
    let id = created(&client, "Ada").await;
    renamed(&client, id, "Eve", 1).await;
    assert_eq!(event(&mut listener).await, ("contact.created".to_owned(), id));
    let Some(Received::Event(event)) = next(&mut listener).await.unwrap() else { panic!("no event") };
    assert_eq!((event.kind.as_str(), &event.details), ("contact.updated", &json!({ "changed": ["name"] })));
    let expected = json!({ "id": listing::id_text("contact", id), "changed": ["name"] });
    assert_eq!(event.envelope()["data"], expected);
}

#[tokio::test]
async fn a_listener_hears_only_of_its_topic_in_its_own_organisation() {
    let (client, stranger) = tokio::join!(organisation(), organisation());
    let service = another(&server().addresses).await;
    let id = created(&client, "Ada").await;
    let mut one = listening(&service, &client, Topic::one("contact", id)).await;
    let mut foreign = listening(&service, &stranger, Topic::one("contact", id)).await;
    let mut product = listening(&service, &client, Topic::entity("product")).await;
    created(&client, "Another").await;
    renamed(&client, id, "Eve", 1).await;
    assert_eq!(event(&mut one).await, ("contact.updated".to_owned(), id));
    // The next event of each listener is the first of its own topic.
    let create = "mutation ($input: CreateProductInput!) { createProduct(input: $input) { product { id } userErrors { code } } }";
    client.mutate(create, json!({ "name": "Tea" })).await.ok("/data/createProduct");
    assert_eq!(event(&mut product).await.0, "product.created");
    assert!(timeout(Duration::ZERO, foreign.next()).await.is_err());
}

#[tokio::test]
async fn who_may_not_listen_any_more_hears_nothing_more() {
    let client = organisation().await;
    let staff = client.colleague(&["STAFF"]).await;
    let service = another(&server().addresses).await;
    let mut listener = listening(&service, &staff, Topic::entity("contact")).await;
    created(&client, "Ada").await;
    event(&mut listener).await;
    let own = format!(
        "organisation_id = '{}' AND email = '{}'",
        client.organisation_id(),
        staff.log_in["user"]["email"].as_str().unwrap()
    );
    let behind = superuser(server().addresses.database()).await;
    behind.batch_execute(&format!("UPDATE users SET roles = '{{USER}}' WHERE {own}")).await.unwrap();
    created(&client, "Eve").await;
    // The session may stay cached until the notification arrives.
    let refused = loop {
        match next(&mut listener).await {
            Ok(_) => drop(created(&client, "Eve").await),
            Err(failure) => break failure,
        }
    };
    assert!(matches!(refused, Failure::Refused(Refusal::Forbidden)), "{refused:?}");
    let scope = scope(&service, &staff).await;
    let refused =
        service.events().listen(scope, Permission::ReadContacts, Topic::entity("contact")).await.err();
    assert!(matches!(refused, Some(Failure::Refused(Refusal::Forbidden))), "{refused:?}");
}

#[tokio::test]
async fn who_has_logged_out_hears_nothing_more() {
    let client = organisation().await;
    let gone = client.log_in_as(client.log_in["user"]["email"].as_str().unwrap()).await;
    let service = another(&server().addresses).await;
    let mut listener = listening(&service, &gone, Topic::entity("contact")).await;
    gone.run("mutation { logOut { userErrors { code } } }", json!({})).await.ok("/data/logOut");
    let refused = loop {
        created(&client, "Eve").await;
        if let Err(failure) = next(&mut listener).await {
            break failure;
        }
    };
    assert!(matches!(refused, Failure::Refused(Refusal::Unauthenticated)), "{refused:?}");
}

#[tokio::test]
async fn a_slow_listener_is_told_how_much_it_missed_and_goes_on_with_the_rest() {
    let client = organisation().await;
    let service = another(&server().addresses).await;
    let mut slow = listening(&service, &client, Topic::entity("contact")).await;
    let mut quick = listening(&service, &client, Topic::entity("contact")).await;
    let contacts: Vec<Value> = (0..100).map(|n| json!({ "name": format!("Contact {n}") })).collect();
    let create = "mutation ($input: CreateContactsInput!) { createContacts(input: $input) { createdCount userErrors { code } } }";
    let sent = client.mutate(create, json!({ "contacts": contacts })).await;
    assert_eq!(sent.ok("/data/createContacts")["createdCount"], 100);
    let heard = async |listener: &mut Listener| {
        let (mut missed, mut events) = (0, 0);
        while missed + events < 100 {
            match next(listener).await.unwrap() {
                Some(Received::Missed(count)) => missed += count,
                Some(Received::Event(_)) => events += 1,
                None => panic!("the end"),
            }
        }
        (missed, events)
    };
    let (missed, events) = heard(&mut quick).await;
    assert_eq!(missed + events, 100);
    // All events have been sent; the buffer of a listener that read none is smaller.
    assert_eq!(heard(&mut slow).await, (36, 64));
}

/// A gateway on a separate database.
async fn alone(name: &str) -> (Addresses, Service, Client) {
    let addresses = postgres().migrated_database(name).await;
    let client = Client::of(&start(&addresses, &ManualClock::default()).await).signed_up().await;
    let service = another(&addresses).await;
    (addresses, service, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_the_connection_is_lost_is_heard_once_it_is_back() {
    let (addresses, service, client) = alone("listener").await;
    let mut listener = listening(&service, &client, Topic::entity("contact")).await;
    let behind = superuser(addresses.database()).await;
    let mut made = vec![];
    for round in 0..3 {
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE application_name = 'tessera listener' AND datname = current_database()";
        behind.query(end, &[]).await.unwrap();
        for number in 0..5 {
            made.push(created(&client, &format!("{round} {number}")).await);
        }
    }
    let mut heard = vec![];
    while heard.len() < made.len() {
        let (_, id) = event(&mut listener).await;
        // At least once: an interrupted poll starts again.
        if !heard.contains(&id) {
            heard.push(id);
        }
    }
    assert_eq!(heard, made);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_whose_transaction_ends_after_later_ones_is_not_left_out() {
    let (addresses, service, client) = alone("overtaken").await;
    let own = Own::open(&addresses, Clock::system(), Work::default()).await;
    let mut listener = listening(&service, &client, Topic::entity("thing")).await;
    let scope = own.door.job_scope(client.organisation_id(), RequestId::new());
    let published =
        async |id: Uuid, wait: Option<oneshot::Receiver<()>>, began: Option<oneshot::Sender<()>>| {
            let write = scope.write(Permission::WriteContacts, |tx| async move {
                // Gets its position before the others begin.
                tx.execute(
                    diesel::sql_query(
                        "INSERT INTO events (id, kind, entity, entity_id, details)
                VALUES (gen_random_uuid(), 'thing.moved', 'thing', $1, '{}')",
                    )
                    .bind::<diesel::sql_types::Uuid, _>(id),
                )
                .await?;
                tx.announce();
                began.map(|began| began.send(()));
                if let Some(wait) = wait {
                    wait.await.unwrap();
                }
                Ok(())
            });
            write.await.unwrap();
        };
    let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
    let ((release, wait), (began, has_begun)) = (oneshot::channel(), oneshot::channel());
    let late = published(first, Some(wait), Some(began));
    let overtaking = async {
        has_begun.await.unwrap();
        published(second, None, None).await;
        assert_eq!(event(&mut listener).await.1, second);
        release.send(()).unwrap();
        assert_eq!(event(&mut listener).await.1, first);
    };
    tokio::join!(late, overtaking);
}

#[tokio::test]
async fn an_event_is_committed_with_its_change_or_not_at_all() {
    let client = organisation().await;
    let behind = superuser(server().addresses.database()).await;
    let count = format!(
        "SELECT count(*) FROM events WHERE organisation_id = '{}' AND kind LIKE 'contact.%'",
        client.organisation_id()
    );
    let events = async || behind.query_one(&count, &[]).await.unwrap().get::<_, i64>(0);
    let input = json!({ "kind": "COMPANY", "name": "Once", "idempotencyKey": "the same" });
    client.create_contact(input.clone()).await;
    // A repetition causes no second event, and a refused change causes none.
    let again = client.create_contact(input).await;
    let update =
        "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { userErrors { code } } }";
    let stale = json!({ "id": again["id"], "expectedRevision": 7, "name": "Stale" });
    client.mutate(update, stale).await;
    assert_eq!(events().await, 1);
}
