//! Webhooks: receivers get events signed, in order, at least once.

mod delivered;
mod failing;
mod killed;
mod letters;
mod purged;
mod refusals;
mod secrets;
mod signed;

use chrono::{TimeDelta, Utc};
use events::Events;
use serde_json::{Value, json};
use tenancy::{Addresses, ManualClock};
use uuid::Uuid;

use super::receiver::{Received, Receiver, Reply};
use crate::harness::{Answer, Client, open, organisation, postgres, serve, server, superuser, uuid};

const ENDPOINT: &str =
    "id url description eventKinds active failingSince revision deletedAt secrets { secret expiresAt }";
const DELIVERY: &str = "id endpointId eventKind state attempts lastAttemptAt responseStatus responseBody \
                        error durationMs endpoint { id }";

/// An organisation with webhooks, and its background work.
struct Hooks {
    client: Client,
    clock: ManualClock,
    /// The name of the database.
    database: String,
    /// None on the shared server.
    own: Option<Events>,
}

/// A webhook endpoint and its first secret.
struct Endpoint {
    id: String,
    secret: String,
}

impl Hooks {
    /// On the shared server, whose clock is not moved.
    async fn shared() -> Self {
        let database = server().addresses.database().to_owned();
        Self { client: organisation().await, clock: ManualClock::default(), database, own: None }
    }

    /// On a separate database with a manual clock: on the shared one, the work of other tests would run in
    /// the future too.
    async fn own(name: &str) -> Self {
        let addresses = migrated(name).await;
        let clock = ManualClock::default();
        let service = open(&addresses, &clock).await;
        let own = Some(service.events().clone());
        let client = Client::of(&serve(service).await).signed_up().await;
        Self { client, clock, database: addresses.database().to_owned(), own }
    }

    /// Runs all due background work.
    async fn drain(&self) {
        match &self.own {
            Some(events) => events.drain(self.client.organisation_id()).await.unwrap(),
            None => server().drain(self.client.organisation_id()).await,
        }
    }

    /// Advances the clock, logs in again and runs all work that is due then.
    async fn later(&mut self, by: TimeDelta) {
        self.clock.advance(by);
        if by >= TimeDelta::minutes(1) {
            self.client = self.client.log_in_as(self.client.log_in["user"]["email"].as_str().unwrap()).await;
        }
        self.drain().await;
    }

    async fn mutate(&self, field: &str, selection: &str, input: Value) -> Answer {
        let capital = field[..1].to_uppercase() + &field[1..];
        let query = format!(
            "mutation ($input: {capital}Input!) {{ {field}(input: $input) {{ {selection} \
             userErrors {{ code message field details }} }} }}"
        );
        self.client.mutate(&query, input).await
    }

    /// Runs a mutation that must succeed, and returns its object.
    async fn done(&self, verb: &str, of: &str, selection: &str, input: Value) -> Value {
        let (field, own) = (format!("{verb}{of}"), of[..1].to_lowercase() + &of[1..]);
        let answer = self.mutate(&field, &format!("{own} {{ {selection} }}"), input).await;
        answer.ok(&format!("/data/{field}"))[&own].clone()
    }

    /// A new endpoint for these kinds of events.
    async fn endpoint(&self, url: &str, kinds: &[&str]) -> Endpoint {
        let made =
            self.done("create", "WebhookEndpoint", ENDPOINT, json!({ "url": url, "eventKinds": kinds }));
        let made = made.await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Endpoint { id: text(&made["id"]), secret: text(&made["secrets"][0]["secret"]) }
    }

    /// The current state of the endpoint.
    async fn read(&self, endpoint: &Endpoint) -> Value {
        let query = format!("query ($id: ID!) {{ webhookEndpoint(id: $id) {{ {ENDPOINT} }} }}");
        let answer = self.client.run(&query, json!({ "id": endpoint.id })).await;
        answer.ok("/data/webhookEndpoint").clone()
    }

    /// The active secrets, the current one first.
    async fn secrets(&self, endpoint: &Endpoint) -> Vec<String> {
        let secrets = self.read(endpoint).await["secrets"].as_array().unwrap().clone();
        secrets.iter().map(|secret| secret["secret"].as_str().unwrap().to_owned()).collect()
    }

    /// Changes an endpoint, at its current revision.
    async fn change(&self, endpoint: &Endpoint, mut change: Value) -> Value {
        change["id"] = json!(endpoint.id);
        change["expectedRevision"] = self.read(endpoint).await["revision"].clone();
        self.done("update", "WebhookEndpoint", ENDPOINT, change).await
    }

    /// The deliveries of an endpoint, oldest first.
    async fn deliveries(&self, endpoint: &Endpoint) -> Vec<Value> {
        let query = format!(
            "query ($id: ID!) {{ webhookEndpoint(id: $id) {{ \
             deliveries(first: 50, orderBy: [{{ createdAt: ASC }}]) {{ nodes {{ {DELIVERY} }} }} }} }}"
        );
        let answer = self.client.run(&query, json!({ "id": endpoint.id })).await;
        answer.ok("/data/webhookEndpoint")["deliveries"]["nodes"].as_array().unwrap().clone()
    }

    /// The one delivery of an endpoint.
    async fn delivery(&self, endpoint: &Endpoint) -> Value {
        let mut deliveries = self.deliveries(endpoint).await;
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        deliveries.remove(0)
    }

    /// Kind and state of each delivery of an endpoint, sorted: `"contact.created PENDING"`.
    async fn states(&self, endpoint: &Endpoint) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let line = |it: &Value| format!("{} {}", text(&it["eventKind"]), text(&it["state"]));
        let mut states: Vec<_> = self.deliveries(endpoint).await.iter().map(line).collect();
        states.sort();
        states
    }

    /// The open dead letters.
    async fn dead_letters(&self) -> Vec<Value> {
        let query = "{ deadLetters(where: {kind: {eq: \"webhook\"}, state: {eq: WAITING}}) { nodes { id kind summary attempts lastError revision } } }";
        let answer = self.client.run(query, json!({})).await;
        answer.ok("/data/deadLetters")["nodes"].as_array().unwrap().clone()
    }

    async fn contact(&self, name: &str) -> Value {
        self.client.create_contact(json!({ "kind": "COMPANY", "name": name })).await
    }

    /// Changes a contact and returns it.
    async fn contact_is(&self, verb: &str, contact: &Value, mut change: Value) -> Value {
        change["id"] = contact["id"].clone();
        change["expectedRevision"] = contact["revision"].clone();
        self.done(verb, "Contact", "id name revision", change).await
    }

    /// The result of a superuser's query, as text.
    async fn sql(&self, query: &str) -> Vec<String> {
        let rows = superuser(&self.database).await.simple_query(query).await.unwrap();
        let rows = rows.iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("").to_owned()),
            _ => None,
        });
        rows.collect()
    }
}

/// The id of a value.
fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// A migrated database for one test.
async fn migrated(name: &str) -> Addresses {
    postgres().migrated_database(&format!("hooks_{name}")).await
}
