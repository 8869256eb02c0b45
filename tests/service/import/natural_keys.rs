//! An import that is repeated by external id changes what it made before.

use serde_json::{Value, json};
use tenancy::Permission::{ReadOwnContacts, WriteContacts};

use super::organisation;
use crate::harness::{Answer, Client, server, superuser};

const IMPORT: &str = "mutation ($input: ImportContactsInput!) { importContacts(input: $input) { \
    createdCount updatedCount validCount contacts { id name notes revision externalId } \
    rowErrors { line column code message } userErrors { code message field } } }";

async fn import(client: &Client, csv: &str) -> Answer {
    client.mutate(IMPORT, json!({ "csv": csv })).await
}

/// Created, updated and valid rows.
fn counts(answer: &Answer) -> [Value; 3] {
    let payload = answer.ok("/data/importContacts");
    ["createdCount", "updatedCount", "validCount"].map(|name| payload[name].clone())
}

/// Row, code, column and message of each row error.
fn row_errors(answer: &Answer) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = answer.ok("/data/importContacts")["rowErrors"].as_array().unwrap().clone();
    let line = |it: &Value| {
        format!("{} {} {} {}", it["line"], text(&it["code"]), text(&it["column"]), text(&it["message"]))
    };
    errors.iter().map(line).collect()
}

#[tokio::test]
async fn a_repeated_import_changes_what_it_made_and_adds_what_is_new() {
    let client = organisation().await;
    let first = import(&client, "externalId,name,notes\na:1,Ada,first\na:2,Ben,\n,Cem,\n").await;
    assert_eq!(counts(&first), [3, 0, 3].map(Value::from));
    let made = first.at("/data/importContacts/contacts").clone();

    let csv = "externalId,name,notes\na:2,Benjamin,\na:3,Dora,new\na:1,Ada,\n";
    let second = import(&client, csv).await;
    assert_eq!(counts(&second), [1, 2, 3].map(Value::from), "{}", second.body);
    let rows = second.at("/data/importContacts/contacts").as_array().unwrap();
    let row = |external: &str| rows.iter().find(|row| row["externalId"] == external).unwrap();
    assert_eq!((&row("a:2")["id"], &row("a:2")["name"]), (&made[1]["id"], &json!("Benjamin")));
    // An empty cell changes nothing.
    assert_eq!((&row("a:1")["id"], &row("a:1")["notes"]), (&made[0]["id"], &json!("first")));
    assert_eq!(client.run("{ contacts { totalCount } }", json!({})).await.at("/data/contacts/totalCount"), 4);
}

#[tokio::test]
async fn a_mistake_in_a_known_row_stops_all_and_a_dry_run_writes_nothing() {
    let client = organisation().await;
    import(&client, "externalId,name\na:1,Ada\n").await.ok("/data/importContacts");
    let csv = format!("externalId,name\na:1,{}\na:2,Ben\n", "x".repeat(256));
    let answer = import(&client, &csv).await;
    assert_eq!(row_errors(&answer), ["2 INVALID name This has more than 255 characters."]);
    assert_eq!(counts(&answer), [0, 0, 1].map(Value::from), "{}", answer.body);

    let input = json!({ "csv": "externalId,name\na:1,Eva\na:2,Ben\n", "dryRun": true });
    let dry = client.mutate(IMPORT, input).await;
    assert_eq!(counts(&dry), [0, 0, 2].map(Value::from), "{}", dry.body);
    let names = client.run("{ contacts { nodes { name revision } } }", json!({})).await;
    assert_eq!(*names.at("/data/contacts/nodes"), json!([{ "name": "Ada", "revision": 1 }]));
}

#[tokio::test]
async fn a_key_twice_in_a_file_or_of_a_deleted_row_is_an_error_of_its_row() {
    let client = organisation().await;
    let first = import(&client, "externalId,name\na:1,Ada\n").await;
    let ada = first.at("/data/importContacts/contacts/0").clone();
    let delete =
        "mutation ($input: DeleteContactInput!) { deleteContact(input: $input) { userErrors { code } } }";
    client.mutate(delete, json!({ "id": ada["id"], "expectedRevision": 1 })).await.ok("/data/deleteContact");
    let answer = import(&client, "externalId,name\na:1,Ada\nb:1,Ben\nb:1,Bob\n").await;
    assert_eq!(
        row_errors(&answer),
        [
            "2 ALREADY_EXISTS externalId The row with this key was deleted; restore it.",
            "4 ALREADY_EXISTS externalId Line 3 has this key too.",
        ]
    );
    // And so it is where a single contact is made.
    let create = "mutation ($input: CreateContactInput!) { createContact(input: $input) { \
                  contact { id } userErrors { code message field } } }";
    let twice = client.mutate(create, json!({ "name": "Eva", "externalId": "a:1" })).await;
    assert_eq!(twice.user_errors("/data/createContact"), ["ALREADY_EXISTS contact.externalId"]);
}

#[tokio::test]
async fn the_key_of_an_unseen_row_says_nothing_but_that_it_is_in_use() {
    let admin = organisation().await;
    let own = admin.granted(&[ReadOwnContacts, WriteContacts]).await;
    import(&admin, "externalId,name\na:1,Ada\n").await.ok("/data/importContacts");
    import(&own, "externalId,name\nb:1,Ben\n").await.ok("/data/importContacts");
    let answer = import(&own, "externalId,name\na:1,Eve\nb:1,Benjamin\n").await;
    assert_eq!(row_errors(&answer), ["2 ALREADY_EXISTS externalId This key is in use."]);
    let database = superuser(server().addresses.database()).await;
    let query = "SELECT name FROM contacts WHERE organisation_id = $1::text::uuid ORDER BY name";
    let rows = database.query(query, &[&admin.organisation_id().to_string()]).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(names, ["Ada", "Ben"]);
}

#[tokio::test]
async fn a_repeated_import_keeps_what_the_file_does_not_say() {
    let client = organisation().await;
    let parts = json!({
        "kind": "COMPANY", "name": "Ada Ltd", "externalId": "a:1",
        "emails": [{ "address": "old@ada.example", "label": "office" }, { "address": "two@ada.example" }],
        "addresses": [{ "street": "Main Street 1", "city": "Old Town", "label": "billing" }, { "city": "Rome" }],
    });
    client.create_contact(parts).await;
    let csv = "externalId,name,email,city,phone\na:1,Ada Ltd,new@ada.example,New Town,1\n";
    assert_eq!(counts(&import(&client, csv).await), [0, 1, 1].map(Value::from));
    let query = "{ contacts { nodes { emails { address label } addresses { street city label } \
                 phones { number label } } } }";
    let answer = client.run(query, json!({})).await;
    let expected = json!([{
        "emails": [
            { "address": "new@ada.example", "label": "office" }, { "address": "two@ada.example", "label": null },
        ],
        "addresses": [
            { "street": "Main Street 1", "city": "New Town", "label": "billing" },
            { "street": null, "city": "Rome", "label": null },
        ],
        "phones": [{ "number": "1", "label": null }],
    }]);
    assert_eq!(answer.at("/data/contacts/nodes"), &expected);
    // A known company stays one, whatever the row says.
    let answer = import(&client, "externalId,name,company\na:1,Ada Ltd,Ada Ltd\n").await;
    assert_eq!(row_errors(&answer), ["2 INVALID company Only a person belongs to a company."]);
}

#[tokio::test]
async fn a_repetition_by_key_counts_as_the_first_one_did() {
    let client = organisation().await;
    import(&client, "externalId,name\na:1,Ada\n").await.ok("/data/importContacts");
    let csv = "externalId,name\na:2,Ben\na:1,Eva\na:3,\n";
    let input = json!({ "csv": csv, "skipInvalid": true, "idempotencyKey": "k" });
    let first = client.mutate(IMPORT, input.clone()).await;
    assert_eq!(counts(&first), [1, 1, 2].map(Value::from), "{}", first.body);
    assert_eq!(row_errors(&first).len(), 1);
    let again = client.mutate(IMPORT, input).await;
    assert_eq!(again.ok("/data/importContacts"), first.ok("/data/importContacts"));
}
