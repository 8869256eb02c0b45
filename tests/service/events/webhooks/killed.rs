//! Killed gateways lose no event and deliver none out of order.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Child,
};

use super::*;
use crate::{
    cluster::Temporary,
    door::eventually,
    harness::{http, input_of},
    run::process::{Gateway, serve_at},
};

/// How often one of the two gateways is killed.
const ROUNDS: usize = 4;
/// How many contacts each gateway is asked to create while one is killed.
const CONTACTS: usize = 10;

const CREATE: &str = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
                      contact { id revision } userErrors { message } } }";
const UPDATE: &str = "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { \
                      contact { id } userErrors { message } } }";

/// Two gateways on one database, as in production but with a short lease.
struct Pair {
    url: String,
    gateways: Vec<(Gateway, Temporary)>,
}

impl Pair {
    fn start(database: &str) -> Self {
        let url = postgres().cluster.url("gateway", database);
        let gateways = (0..2).map(|_| one(&url)).collect();
        Self { url, gateways }
    }

    fn url_of(&self, number: usize) -> String {
        format!("http://{}", self.gateways[number].0.address)
    }

    /// Kills one with SIGKILL.
    fn kill(&mut self, number: usize) {
        let child: &mut Child = &mut self.gateways[number].0.child;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn restart(&mut self, number: usize) {
        self.gateways[number] = one(&self.url);
    }
}

fn one(url: &str) -> (Gateway, Temporary) {
    let temporary = Temporary::new("killed");
    let mut command = serve_at(url);
    command.env("TESSERA_LOOPBACK_WEBHOOKS", "true").env("TESSERA_LEASE_SECONDS", "4");
    (Gateway::serving(&temporary, command), temporary)
}

/// A random number below this one.
fn any(below: usize) -> usize {
    usize::from(Uuid::new_v4().as_bytes()[0]) % below
}

/// The response of a gateway, if it is not killed before.
async fn asked(client: &Client, query: &str, input: Value) -> Option<Value> {
    let request = http().post(format!("{}/graphql", client.url)).bearer_auth(client.access_token.as_ref()?);
    let body = json!({ "query": query, "variables": { "input": input_of(query, input) } }).to_string();
    let answer = request.header("content-type", "application/json").body(body).send().await.ok()?;
    serde_json::from_str(&answer.text().await.ok()?).ok()
}

/// Creates contacts and changes each, while the gateway lives; returns the acknowledged changes.
async fn written(client: Client) -> Vec<(&'static str, String)> {
    let mut said = vec![];
    for number in 0..CONTACTS {
        let input = json!({ "kind": "COMPANY", "name": format!("Contact {number}") });
        let Some(answer) = asked(&client, CREATE, input).await else { break };
        let made = answer["data"]["createContact"]["contact"].clone();
        let id = made["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        said.push(("contact.created", id.clone()));
        let input = json!({ "id": id, "expectedRevision": made["revision"], "name": "Changed" });
        let Some(answer) = asked(&client, UPDATE, input).await else { break };
        assert_eq!(answer["data"]["updateContact"]["userErrors"], json!([]), "{answer}");
        said.push(("contact.updated", id));
    }
    said
}

/// Kills one of the gateways at a random moment and starts it again; returns the changes acknowledged
/// meanwhile.
async fn round(pair: &mut Pair, hooks: &Hooks, receiver: &Receiver) -> Vec<(&'static str, String)> {
    let before = receiver.received().len();
    let (moment, victim) = (1 + any(CONTACTS), any(2));
    // The request at that moment gets no response.
    let mut seen = 0;
    receiver.answers(move |_| {
        seen += 1;
        if seen == moment { Reply::Hang } else { Reply::status(200) }
    });
    let writer = |number| {
        let mut client = hooks.client.clone();
        client.url = pair.url_of(number);
        tokio::spawn(written(client))
    };
    let (one, other) = (writer(victim), writer(1 - victim));
    receiver.has(before + moment).await;
    pair.kill(victim);
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    assert_eq!(other.len(), 2 * CONTACTS, "the other gateway goes on");
    pair.restart(victim);
    [one, other].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_gateways_lose_no_event_and_keep_the_order_of_each_contact() {
    let addresses = migrated("killed").await;
    let database = addresses.database().to_owned();
    let mut pair = Pair::start(&database);
    let client = Client::of(&pair.url_of(0)).signed_up().await;
    let hooks = Hooks { client, clock: ManualClock::default(), database, own: None };
    let receiver = Receiver::open().await;
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    let mut said = vec![];
    for _ in 0..ROUNDS {
        said.extend(round(&mut pair, &hooks, &receiver).await);
    }
    eventually("everything is delivered", async || {
        let open =
            "SELECT 1 FROM jobs WHERE kind = 'webhook' UNION ALL SELECT 1 FROM events WHERE NOT dispatched";
        hooks.sql(open).await.is_empty()
    })
    .await;
    let received = receiver.received();

    // The database equals what was delivered, and contains everything acknowledged.
    let contact_events = "SELECT id || ' ' || kind || ' ' || entity_id FROM events WHERE entity = 'contact'";
    let known: BTreeSet<String> = hooks.sql(contact_events).await.into_iter().collect();
    let line = |request: &Received| {
        let event = uuid(request.header("webhook-id"));
        format!("{event} {} {}", request.kind(), uuid(&request.about()))
    };
    let heard: BTreeSet<String> = received.iter().map(line).collect();
    assert_eq!(heard, known);
    let mut first: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (place, request) in received.iter().enumerate() {
        first.entry((request.kind(), request.about())).or_insert(place);
        assert!(signed::verifies(request, &endpoint.secret));
    }
    assert_eq!(first.len(), known.len(), "each thing that happened has one id");
    for (kind, contact) in &said {
        assert!(first.contains_key(&((*kind).to_owned(), contact.clone())), "{kind} {contact} is lost");
    }
    for ((kind, contact), place) in &first {
        if kind == "contact.updated" {
            assert!(
                first[&("contact.created".to_owned(), contact.clone())] < *place,
                "{contact} out of order"
            );
        }
    }
    assert!(received.len() >= known.len() + ROUNDS, "what hung was sent again, under the same id");
    let others = "SELECT state FROM webhook_deliveries WHERE state <> 'DELIVERED' \
                  UNION ALL SELECT summary FROM dead_letters";
    assert_eq!(hooks.sql(others).await, Vec::<String>::new());
}
