//! A wish that carries a key is carried out once.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenancy::{Failure, Key, ManualClock, Permission::WriteContacts, Recall, Scope, Tx};
use uuid::Uuid;

use super::{Door, insert};
use crate::harness::{self, Answer, Client, organisation, server};

const CREATE: &str = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
                      contact { id name } userErrors { code message field } } }";

async fn create(client: &Client, key: &str, name: &str) -> Answer {
    let input = json!({ "kind": "COMPANY", "name": name, "idempotencyKey": key });
    client.mutate(CREATE, input).await
}

/// The id of what was created.
async fn created(client: &Client, key: &str, name: &str) -> Value {
    create(client, key, name).await.ok("/data/createContact")["contact"]["id"].clone()
}

async fn count(client: &Client) -> usize {
    let answer = client.run("{ contacts(first: 50) { nodes { id } } }", json!({})).await;
    answer.ok("/data/contacts/nodes").as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_key_and_input_answer_the_same_contact() {
    let client = organisation().await;
    let first = created(&client, "k", "Ada").await;
    assert_eq!(created(&client, "k", "Ada").await, first);
    assert_eq!(count(&client).await, 1);
    assert_ne!(created(&client, "another", "Ada").await, first);
}

#[tokio::test]
async fn ten_at_once_with_one_key_make_one_contact() {
    let client = organisation().await;
    let ids = join_all((0..10).map(|_| created(&client, "k", "Ada"))).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(count(&client).await, 1);
}

#[tokio::test]
async fn the_order_of_the_inputs_fields_makes_no_difference() {
    let client = organisation().await;
    let body = |input: &str| {
        let query = "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } userErrors { code } } }";
        format!(r#"{{"query": "{query}", "variables": {{"input": {input}}}}}"#)
    };
    let mut ids = vec![];
    for input in [
        r#"{"contact": {"kind": "COMPANY", "name": "Ada", "emails": [{"address": "a@b.example", "label": "work"}]}, "idempotencyKey": "k"}"#,
        r#"{"idempotencyKey": "k", "contact": {"emails": [{"label": "work", "address": "a@b.example"}], "name": "Ada", "kind": "COMPANY"}}"#,
    ] {
        ids.push(client.send(&body(input)).await.ok("/data/createContact")["contact"]["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_key_with_another_input_is_a_conflict() {
    let client = organisation().await;
    created(&client, "k", "Ada").await;
    let answer = create(&client, "k", "Ben").await;
    assert_eq!(answer.user_errors("/data/createContact"), ["CONFLICT idempotencyKey"]);
    assert_eq!(*answer.at("/data/createContact/contact"), Value::Null);
    assert_eq!(count(&client).await, 1);
}

#[tokio::test]
async fn a_key_is_its_users_organisations_and_operations_own() {
    let client = organisation().await;
    let (colleague, stranger) = (client.colleague(&["STAFF"]).await, organisation().await);
    let first = created(&client, "k", "Ada").await;
    assert_ne!(created(&colleague, "k", "Ben").await, first);
    assert_ne!(created(&stranger, "k", "Cem").await, first);
    let import = "mutation ($input: ImportContactsInput!) { importContacts(input: $input) { \
                  createdCount userErrors { code message field } } }";
    let input = json!({ "csv": "name\nDan\n", "idempotencyKey": "k" });
    let answer = client.run(import, json!({ "input": input })).await;
    assert_eq!(answer.ok("/data/importContacts")["createdCount"], 1);
    assert_eq!((count(&client).await, count(&stranger).await), (3, 1));
}

#[tokio::test]
async fn an_import_is_repeated_as_a_whole() {
    let client = organisation().await;
    let import = "mutation ($input: ImportContactsInput!) { importContacts(input: $input) { \
                  contacts { id name } createdCount userErrors { code message field } } }";
    let input = json!({ "input": { "csv": "name\nAda\nBen\n", "idempotencyKey": "k" } });
    let first = client.run(import, input.clone()).await.ok("/data/importContacts").clone();
    assert_eq!(first["createdCount"], 2);
    assert_eq!(*client.run(import, input).await.ok("/data/importContacts"), first);
    assert_eq!(count(&client).await, 2);
}

#[tokio::test]
async fn a_mistake_is_not_remembered() {
    let client = organisation().await;
    // One that our own rules find, and one that only the database knows.
    let answer = create(&client, "k", "").await;
    assert_eq!(answer.user_errors("/data/createContact"), ["INVALID contact.name"]);
    let stranger = organisation().await.create_contact(json!({ "kind": "COMPANY", "name": "Foreign" })).await;
    let input =
        json!({ "kind": "PERSON", "name": "Ada", "companyId": stranger["id"], "idempotencyKey": "k" });
    let answer = client.mutate(CREATE, input).await;
    assert_eq!(answer.user_errors("/data/createContact"), ["NOT_FOUND contact.companyId"]);
    created(&client, "k", "Ada").await;
    assert_eq!(count(&client).await, 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_meant_is_refused() {
    let client = organisation().await;
    for key in ["", "a\nb", &"k".repeat(256)] {
        let answer = create(&client, key, "Ada").await;
        assert_eq!(answer.user_errors("/data/createContact"), ["INVALID idempotencyKey"], "{key:?}");
    }
    created(&client, &"k".repeat(255), "Ada").await;
}

#[tokio::test]
async fn a_key_is_free_again_after_a_day() {
    let clock = ManualClock::default();
    let client = Client::of(&harness::start(&server().addresses, &clock).await).signed_up().await;
    let email = client.log_in["user"]["email"].as_str().unwrap();
    let first = created(&client, "k", "Ada").await;

    clock.advance(TimeDelta::hours(23) + TimeDelta::minutes(59));
    let client = client.log_in_as(email).await;
    assert_eq!(created(&client, "k", "Ada").await, first);
    let answer = create(&client, "k", "Ben").await;
    assert_eq!(answer.user_errors("/data/createContact"), ["CONFLICT idempotencyKey"]);

    clock.advance(TimeDelta::minutes(2));
    let second = created(&client, "k", "Ben").await;
    assert_ne!(second, first);
    assert_eq!(created(&client, "k", "Ben").await, second, "and taken again");
    let answer = create(&client, "k", "Ada").await;
    assert_eq!(answer.user_errors("/data/createContact"), ["CONFLICT idempotencyKey"]);
    assert_eq!(count(&client).await, 2);
}

/// A contact that a keyed write made.
struct Paid(Uuid);

impl Recall for Paid {
    fn ids(&self) -> Vec<Uuid> {
        vec![self.0]
    }

    async fn recall(_: &Scope, _: &Tx, ids: Vec<Uuid>, _: Option<Value>) -> Result<Self, Failure> {
        Ok(Self(ids[0]))
    }
}

/// Makes a contact under a permanent key.
async fn pay(scope: &Scope, amount: &str) -> Result<Uuid, Failure> {
    let key = Key::new("pay", "k".to_owned(), amount.as_bytes()).unwrap().permanent();
    let body = |tx: Tx| async move { insert(&tx, "paid").await.map(Paid) };
    scope.write_once(WriteContacts, Some(key), body).await.map(|Paid(id)| id)
}

#[tokio::test]
async fn a_permanent_key_is_never_free_again() {
    let (client, clock) = (organisation().await, ManualClock::default());
    let door = Door::open_at(&server().addresses, 2, clock.clock()).await;
    let scope = door.scope(&client);
    let first = pay(&scope, "10").await.unwrap();
    clock.advance(TimeDelta::days(10_000));
    assert_eq!(pay(&scope, "10").await.unwrap(), first);
    let Err(Failure::User(errors)) = pay(&scope, "11").await else { panic!("another amount was paid") };
    assert_eq!(errors[0].field.as_deref(), Some(["idempotencyKey".to_owned()].as_slice()));
    assert_eq!(count(&client).await, 1);
}
