//! Several at once: all or none, unless told otherwise.

use serde_json::{Value, json};
use tenancy::Permission::{ReadOwnContacts, WriteContacts};

use crate::harness::{Answer, Client, organisation, server, superuser};

async fn create(client: &Client, input: Value) -> Answer {
    let query = "mutation ($input: CreateContactsInput!) { createContacts(input: $input) { \
                 createdCount validCount contacts { id name company { name } } \
                 rowErrors { index field code message } userErrors { code message field } } }";
    client.mutate(query, input).await
}

/// Place, code and field of each row error: `"0 INVALID name"`.
fn row_errors(answer: &Answer) -> Vec<String> {
    let errors = answer.ok("/data/createContacts")["rowErrors"].as_array().unwrap().clone();
    let line = |error: &Value| {
        let path = error["field"].as_array().map(Vec::as_slice).unwrap_or_default();
        let path: Vec<_> = path.iter().map(|step| step.as_str().unwrap()).collect();
        format!("{} {} {}", error["index"], error["code"].as_str().unwrap(), path.join("."))
    };
    errors.iter().map(line).collect()
}

/// How many were made, and how many rows were in order.
fn counts(answer: &Answer) -> (u64, u64) {
    let payload = answer.ok("/data/createContacts");
    let made = payload["contacts"].as_array().unwrap().len();
    assert_eq!(payload["createdCount"], made);
    (payload["createdCount"].as_u64().unwrap(), payload["validCount"].as_u64().unwrap())
}

async fn total(client: &Client) -> Value {
    client
        .run("{ contacts(first: 0) { totalCount } }", json!({}))
        .await
        .ok("/data/contacts/totalCount")
        .clone()
}

/// The second and fourth of four have mistakes.
fn four() -> Value {
    json!([
        { "name": "Ada" },
        { "name": " ", "emails": [{ "address": "a@x" }, { "address": "nobody" }] },
        { "kind": "PERSON", "name": "Ben" },
        { "kind": "COMPANY", "name": "Cem", "companyId": "nonsense" },
    ])
}

const WRONG: [&str; 3] = ["1 INVALID name", "1 INVALID emails.1.address", "3 INVALID companyId"];

#[tokio::test]
async fn one_mistake_stops_all_and_every_mistake_is_said() {
    let client = organisation().await;
    let answer = create(&client, json!({ "contacts": four() })).await;
    assert_eq!((row_errors(&answer), counts(&answer)), (WRONG.map(str::to_owned).to_vec(), (0, 2)));
    assert_eq!(total(&client).await, 0);
}

#[tokio::test]
async fn told_so_it_makes_those_that_are_in_order_in_their_order() {
    let client = organisation().await;
    let answer = create(&client, json!({ "contacts": four(), "skipInvalid": true })).await;
    assert_eq!((row_errors(&answer), counts(&answer)), (WRONG.map(str::to_owned).to_vec(), (2, 2)));
    assert_eq!(answer.at("/data/createContacts/contacts/0/name"), "Ada");
    assert_eq!(answer.at("/data/createContacts/contacts/1/name"), "Ben");
    assert_eq!(total(&client).await, 2);
}

#[tokio::test]
async fn a_dry_run_tells_the_same_and_makes_nothing() {
    let client = organisation().await;
    for skip in [false, true] {
        let answer =
            create(&client, json!({ "contacts": four(), "dryRun": true, "skipInvalid": skip })).await;
        assert_eq!((row_errors(&answer), counts(&answer)), (WRONG.map(str::to_owned).to_vec(), (0, 2)));
    }
    let answer = create(&client, json!({ "contacts": [{ "name": "Ada" }], "dryRun": true })).await;
    assert_eq!((row_errors(&answer), counts(&answer)), (vec![], (0, 1)));
    assert_eq!(total(&client).await, 0);
}

#[tokio::test]
async fn what_only_the_database_knows_is_said_of_its_row() {
    let (client, stranger) = (organisation().await, organisation().await);
    let own = client.create_contact(json!({ "name": "Own" })).await;
    let foreign = stranger.create_contact(json!({ "name": "Foreign" })).await;
    let person = |company: &Value| json!({ "kind": "PERSON", "name": "Ada", "companyId": company["id"] });
    let mut input = json!({ "contacts": [person(&own), person(&foreign), person(&own)] });
    let answer = create(&client, input.clone()).await;
    assert_eq!((row_errors(&answer), counts(&answer)), (vec!["1 NOT_FOUND companyId".to_owned()], (0, 2)));
    input["skipInvalid"] = json!(true);
    let answer = create(&client, input).await;
    assert_eq!(counts(&answer), (2, 2));
    assert_eq!(answer.at("/data/createContacts/contacts/1/company/name"), "Own");
}

#[tokio::test]
async fn a_repetition_with_the_same_key_answers_what_the_first_one_made() {
    let client = organisation().await;
    let input = json!({ "contacts": [{ "name": "Ada" }, { "name": "Ben" }], "idempotencyKey": "k" });
    let first = create(&client, input.clone()).await;
    assert_eq!(counts(&first), (2, 2));
    let again = create(&client, input.clone()).await;
    assert_eq!(again.ok("/data/createContacts"), first.ok("/data/createContacts"));
    let mut other = input;
    other["contacts"][1]["name"] = json!("Cem");
    let answer = create(&client, other).await;
    assert_eq!(answer.user_errors("/data/createContacts"), ["CONFLICT idempotencyKey"]);
    assert_eq!(total(&client).await, 2);
}

#[tokio::test]
async fn a_repetition_says_again_what_is_wrong_with_the_input() {
    let client = organisation().await;
    let contacts = json!([{ "name": "Ada" }, { "name": "" }, { "name": "Ben", "birthday": "never" }]);
    let input = json!({ "contacts": contacts, "skipInvalid": true, "idempotencyKey": "k" });
    let first = create(&client, input.clone()).await;
    assert_eq!(row_errors(&first), ["1 INVALID name", "2 INVALID birthday"]);
    assert_eq!(counts(&first), (1, 1));
    let again = create(&client, input).await;
    assert_eq!(again.ok("/data/createContacts"), first.ok("/data/createContacts"));
    assert_eq!(total(&client).await, 1);
}

#[tokio::test]
async fn a_row_that_a_constraint_refuses_has_its_number_and_the_others_are_written() {
    let client = organisation().await;
    client.create_contact(json!({ "name": "Taken", "externalId": "t" })).await;
    let row = |name: &str, key: &str| json!({ "name": name, "externalId": key });
    let rows = json!([row("Ada", "a"), row("Ben", "t"), row("Cem", "c"), row("Dora", "a")]);
    let wrong = vec!["1 ALREADY_EXISTS externalId".to_owned(), "3 ALREADY_EXISTS externalId".to_owned()];
    for dry_run in [true, false] {
        let answer = create(&client, json!({ "contacts": rows, "dryRun": dry_run })).await;
        assert_eq!((row_errors(&answer), counts(&answer)), (wrong.clone(), (0, 2)));
    }
    let input = json!({ "contacts": rows, "skipInvalid": true, "idempotencyKey": "k" });
    let first = create(&client, input.clone()).await;
    assert_eq!((row_errors(&first), counts(&first)), (wrong, (2, 2)));
    assert_eq!(first.at("/data/createContacts/contacts/1/name"), "Cem");
    let again = create(&client, input).await;
    assert_eq!(again.ok("/data/createContacts"), first.ok("/data/createContacts"));
    assert_eq!(total(&client).await, 3);
    // What was undone has told nobody.
    let database = superuser(server().addresses.database()).await;
    let events =
        "SELECT count(*) FROM events WHERE organisation_id = $1::text::uuid AND kind = 'contact.created'";
    let row = database.query_one(events, &[&client.organisation_id().to_string()]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 3);
}

#[tokio::test]
async fn which_keys_are_in_use_cannot_be_asked_of_many_at_once() {
    let admin = organisation().await;
    let own = admin.granted(&[ReadOwnContacts, WriteContacts]).await;
    let rows = |name: &str| -> Vec<Value> {
        let row = |number| json!({ "name": name, "externalId": format!("key {number}") });
        (0..30).map(row).collect()
    };
    let made = create(&admin, json!({ "contacts": rows("Ada") })).await;
    assert_eq!(counts(&made), (30, 30));
    let asked = create(&own, json!({ "contacts": rows("Eve"), "skipInvalid": true })).await;
    assert_eq!(asked.user_errors("/data/createContacts"), ["LIMIT_REACHED "]);
    assert_eq!(asked.at("/data/createContacts/rowErrors"), &json!([]));
    // Who sees them all may know.
    let asked = create(&admin, json!({ "contacts": rows("Eve"), "skipInvalid": true })).await;
    assert_eq!(row_errors(&asked).len(), 30);
}

#[tokio::test]
async fn a_key_is_not_used_up_by_what_makes_nothing() {
    let client = organisation().await;
    let mut input = json!({ "contacts": four(), "idempotencyKey": "k" });
    assert_eq!(counts(&create(&client, input.clone()).await), (0, 2));
    input["dryRun"] = json!(true);
    assert_eq!(counts(&create(&client, input.clone()).await), (0, 2));
    input["dryRun"] = json!(false);
    input["skipInvalid"] = json!(true);
    assert_eq!(counts(&create(&client, input).await), (2, 2));
}

#[tokio::test]
async fn a_thousand_are_made_at_once_and_not_one_more() {
    let client = organisation().await;
    let rows =
        |count: usize| (0..count).map(|row| json!({ "name": format!("C{row:04}") })).collect::<Value>();
    let answer = create(&client, json!({ "contacts": rows(1001), "skipInvalid": true })).await;
    assert_eq!(answer.user_errors("/data/createContacts"), ["LIMIT_REACHED contacts"]);
    assert_eq!(total(&client).await, 0);
    let answer = create(&client, json!({ "contacts": rows(1000) })).await;
    assert_eq!(counts(&answer), (1000, 1000));
    let made = answer.at("/data/createContacts/contacts").as_array().unwrap();
    assert!(made.iter().zip(0..).all(|(contact, row)| contact["name"] == format!("C{row:04}")));
    assert_eq!(total(&client).await, 1000);
}

#[tokio::test]
async fn one_alone_needs_no_list_and_none_at_all_makes_nothing() {
    let client = organisation().await;
    assert_eq!(counts(&create(&client, json!({ "contacts": { "name": "Ada" } })).await), (1, 1));
    assert_eq!(counts(&create(&client, json!({ "contacts": [] })).await), (0, 0));
    assert_eq!(total(&client).await, 1);
    let unknown = json!({ "name": "Ada", "nom": "Ada" });
    for odd in [json!(null), json!([null]), json!([unknown]), unknown.clone()] {
        let answer = create(&client, json!({ "contacts": odd })).await;
        let refused = answer.errors().first().is_some_and(|error| error.starts_with("BAD_REQUEST"));
        assert!(refused, "{odd} {}", answer.body);
    }
    for (odd, place) in [(json!("Ada"), ""), (json!([5]), ".0"), (json!([["Ada"]]), ".0")] {
        let answer = create(&client, json!({ "contacts": odd })).await;
        assert_eq!(answer.errors(), [format!("BAD_REQUEST variables.input.contacts{place}")], "{odd}");
    }
    assert_eq!(total(&client).await, 1);
}

#[tokio::test]
async fn no_more_than_two_hundred_mistakes_are_said() {
    let client = organisation().await;
    let rows: Value = (0..300).map(|_| json!({ "name": "" })).collect();
    let errors = row_errors(&create(&client, json!({ "contacts": rows })).await);
    assert_eq!((errors.len(), errors[199].as_str()), (200, "199 INVALID name"));
}
