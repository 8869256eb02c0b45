//! CSV imports, on the Northwind customers where they are at hand and on the demo's otherwise.

mod natural_keys;
mod spreadsheets;
mod values;

use std::{fs, path::Path};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{Answer, Client, organisation};

const IMPORT: &str = "mutation ($input: ImportContactsInput!) { importContacts(input: $input) { \
    createdCount validCount ignoredColumns contacts { id name } \
    rowErrors { line column code message } userErrors { code message field } } }";

async fn import(client: &Client, input: Value) -> Answer {
    client.run(IMPORT, json!({ "input": input })).await
}

/// The customers of a trading company, and how many there are.
fn customers() -> (String, usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let northwind = root.join("../shared/data/northwind/customers.csv");
    let csv = fs::read_to_string(northwind)
        .or_else(|_| fs::read_to_string(root.join("demo/customers.csv")))
        .unwrap();
    let rows = csv.lines().count() - 1;
    (csv, rows)
}

async fn count(client: &Client) -> usize {
    let answer = client.run("{ contacts(first: 200) { nodes { id } } }", json!({})).await;
    answer.ok("/data/contacts")["nodes"].as_array().unwrap().len()
}

#[tokio::test]
async fn customers_and_their_people_are_imported_and_paged_by_name() {
    let (client, other) = (organisation().await, organisation().await);
    let (csv, rows) = customers();
    let columns = json!([{ "column": "company_name", "field": "NAME" }]);
    let companies = import(&client, json!({ "csv": csv, "columns": columns })).await;
    assert_eq!(companies.ok("/data/importContacts")["createdCount"], rows, "{}", companies.body);
    assert!(companies.at("/data/importContacts/ignoredColumns").as_array().unwrap().contains(&json!("fax")));
    let columns = json!([
        { "column": "contact_name", "field": "NAME" }, { "column": "company_name", "field": "COMPANY" },
        { "column": "contact_title", "field": "NOTES" },
    ]);
    let people = import(&client, json!({ "csv": csv, "columns": columns })).await;
    assert_eq!(people.ok("/data/importContacts")["createdCount"], rows, "{}", people.body);

    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let query = "query ($after: String) { contacts(first: 25, after: $after, orderBy: [{ name: ASC }]) { \
                     nodes { name kind company { name } } pageInfo { hasNextPage endCursor } } }";
        let answer = client.run(query, json!({ "after": after })).await;
        let page = answer.ok("/data/contacts");
        for node in page["nodes"].as_array().unwrap() {
            assert_eq!(node["kind"] == "PERSON", node["company"].is_object(), "{node}");
            names.push(node["name"].as_str().unwrap().to_lowercase());
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names.len(), 2 * rows);
    // As a person would sort them: the first letters rise, whatever their case.
    let initials: Vec<_> =
        names.iter().map(|name| name.chars().next().unwrap()).filter(char::is_ascii_alphabetic).collect();
    assert!(initials.is_sorted(), "{names:?}");
    assert_eq!(count(&other).await, 0, "another organisation sees none of it");
}

#[tokio::test]
async fn a_dry_run_tells_everything_and_writes_nothing() {
    let client = organisation().await;
    let csv = "name,emails,company\nAlfreds,,\nMaria,maria@a.example,Alfreds\nBad,nonsense,\nLost,,Nobody\n,x@y.example,\n,,\n";
    let answer = import(&client, json!({ "csv": csv, "dryRun": true })).await;
    let payload = answer.ok("/data/importContacts");
    let errors: Vec<_> = payload["rowErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (error["line"].as_u64().unwrap(), error["column"].as_str(), error["code"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        errors,
        [(4, Some("emails"), "INVALID"), (5, Some("company"), "NOT_FOUND"), (6, Some("name"), "INVALID")]
    );
    assert_eq!((&payload["createdCount"], &payload["validCount"]), (&json!(0), &json!(2)));
    assert_eq!(count(&client).await, 0);
}

#[tokio::test]
async fn one_wrong_row_stops_all_unless_told_to_skip_it() {
    let client = organisation().await;
    let input = json!({ "csv": "name,emails\nGood,\nBad,nonsense\n" });
    let answer = import(&client, input.clone()).await;
    assert_eq!(answer.ok("/data/importContacts")["createdCount"], 0);
    assert_eq!(count(&client).await, 0);

    let mut skipping = input;
    skipping["skipInvalid"] = json!(true);
    let answer = import(&client, skipping).await;
    let payload = answer.ok("/data/importContacts");
    assert_eq!(
        (&payload["contacts"][0]["name"], &payload["rowErrors"][0]["line"]),
        (&json!("Good"), &json!(3))
    );
    assert_eq!(count(&client).await, 1);
}

#[tokio::test]
async fn companies_are_found_in_the_file_before_the_organisation() {
    let client = organisation().await;
    for _ in 0..2 {
        client.create_contact(json!({ "kind": "COMPANY", "name": "Twins" })).await;
    }
    let csv = "kind,name,company\nperson,Ada,Twins\n";
    let answer = import(&client, json!({ "csv": csv })).await;
    assert_eq!(answer.ok("/data/importContacts")["rowErrors"][0]["code"], "CONFLICT");
    let csv = "kind,name,company\nPERSON,Ada,Twins\nCOMPANY,Twins,\n";
    let answer = import(&client, json!({ "csv": csv })).await;
    assert_eq!(answer.ok("/data/importContacts")["createdCount"], 2, "{}", answer.body);
}

#[tokio::test]
async fn rows_are_answered_in_their_order_and_twins_in_the_file_are_told() {
    let client = organisation().await;
    let csv = "kind,name,company\nPERSON,Zoe,Acme\nCOMPANY,Acme,\n";
    let answer = import(&client, json!({ "csv": csv })).await;
    let names: Vec<_> = answer.ok("/data/importContacts")["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    assert_eq!(names, ["Zoe", "Acme"]);
    let csv = "kind,name,company\nCOMPANY,Twin,\nCOMPANY,Twin,\nPERSON,Bob,Twin\nPERSON,Eve,A\0B\n";
    let answer = import(&client, json!({ "csv": csv })).await;
    let errors = answer.ok("/data/importContacts")["rowErrors"].clone();
    assert_eq!((&errors[0]["line"], &errors[0]["code"]), (&json!(4), &json!("CONFLICT")), "{errors}");
    assert_eq!((&errors[1]["line"], &errors[1]["column"]), (&json!(5), &json!("company")), "{errors}");
}

#[tokio::test]
async fn a_repeated_import_answers_what_it_made_whatever_has_happened_since() {
    let client = organisation().await;
    client.create_contact(json!({ "kind": "COMPANY", "name": "Solo" })).await;
    let input = json!({ "csv": "kind,name,company\nPERSON,Ada,Solo\n", "idempotencyKey": "monday" });
    let first = import(&client, input.clone()).await;
    client.create_contact(json!({ "kind": "COMPANY", "name": "Solo" })).await;
    assert_eq!(first.ok("/data/importContacts"), import(&client, input).await.ok("/data/importContacts"));
}

#[tokio::test]
async fn a_repeated_import_with_a_key_imports_once() {
    let client = organisation().await;
    let input = json!({ "csv": "name\nA\nB\n", "idempotencyKey": "monday" });
    let (first, second) = (import(&client, input.clone()).await, import(&client, input).await);
    assert_eq!(first.ok("/data/importContacts"), second.ok("/data/importContacts"));
    assert_eq!(count(&client).await, 2);
}

#[tokio::test]
async fn a_key_is_used_up_only_by_an_import_that_wrote() {
    let client = organisation().await;
    let mut input =
        json!({ "csv": "name,emails\nA,\nB,nonsense\n", "idempotencyKey": "monday", "dryRun": true });
    assert_eq!(import(&client, input.clone()).await.ok("/data/importContacts")["createdCount"], 0);
    input["dryRun"] = json!(false);
    assert_eq!(import(&client, input.clone()).await.ok("/data/importContacts")["createdCount"], 0);
    input["skipInvalid"] = json!(true);
    let answer = import(&client, input).await;
    assert_eq!(answer.ok("/data/importContacts")["createdCount"], 1, "{}", answer.body);
}

#[tokio::test]
async fn what_is_no_sheet_is_refused_with_a_reason() {
    let client = organisation().await;
    let cases = [
        (json!({ "csv": "" }), "INVALID csv"),
        (json!({ "csv": "phones\n1\n" }), "INVALID csv"),
        (json!({ "csv": "\"never closed\nB\n" }), "INVALID csv"),
        (json!({ "csv": format!("name\n{}", "A\n".repeat(1001)) }), "LIMIT_REACHED csv"),
        (
            json!({ "csv": "name\nA\n", "columns": [{ "column": "nome", "field": "NAME" }] }),
            "INVALID columns",
        ),
        (
            json!({ "csv": "name,x\nA,1\n", "columns": [{ "column": "x", "field": "NAME" }] }),
            "INVALID columns",
        ),
    ];
    for (input, expected) in cases {
        let answer = import(&client, input.clone()).await;
        assert_eq!(answer.user_errors("/data/importContacts"), [expected], "{input:.100}");
    }
    let rows = [
        format!("name\n{}\n", "x".repeat(1_000_000)),
        "name\nA\u{0}B\n".to_owned(),
        "name\nB\u{fffd}ttner\n".to_owned(),
        "name,phones\nA\n".to_owned(),
        "name,kind\nA,ROBOT\n".to_owned(),
    ];
    for csv in rows {
        let answer = import(&client, json!({ "csv": csv })).await;
        let error = &answer.ok("/data/importContacts")["rowErrors"][0];
        assert_eq!((&error["line"], &error["code"]), (&json!(2), &json!("INVALID")), "{csv:.100}");
    }
    assert_eq!(count(&client).await, 0);
}

/// By hand: whoever still sends when the server has answered may find the connection closed.
#[tokio::test]
async fn a_request_beyond_the_limit_is_refused_before_it_is_read() {
    let client = organisation().await;
    let mut connection = TcpStream::connect(client.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        client.access_token.unwrap(),
        4 * 1024 * 1024 + 1
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"code\":\"BAD_REQUEST\""), "{answer}");
}
