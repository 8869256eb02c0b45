//! `search(text:)`: all types together.

use serde_json::{Value, json};
use tenancy::Permission;

use super::{contact, names};
use crate::harness::{Client, organisation};

async fn product(client: &Client, name: &str) {
    let query = "mutation ($input: CreateProductInput!) { createProduct(input: $input) { product { id } userErrors { code } } }";
    client.mutate(query, json!({ "name": name })).await.ok("/data/createProduct");
}

const NAMES: &str = "{ __typename id ... on Contact { name } ... on Product { name } }";

async fn search(client: &Client, arguments: &str) -> Vec<String> {
    let answer = client.run(&format!("{{ search({arguments}) {NAMES} }}"), json!({})).await;
    names(answer.ok("/data/search"))
}

#[tokio::test]
async fn the_newest_of_all_types_come_first() {
    let client = organisation().await;
    contact(&client, "Needle 1", json!({})).await;
    product(&client, "Needle 2").await;
    contact(&client, "Needle 3", json!({})).await;
    product(&client, "Hay").await;
    product(&client, "needle 4").await;
    let all = ["needle 4", "Needle 3", "Needle 2", "Needle 1"];
    assert_eq!(search(&client, "text: \"needle\"").await, all);
    assert_eq!(search(&client, "text: \"needle\", first: 3").await, all[..3]);
    assert_eq!(search(&client, "text: \"needle\", first: 0").await, [""; 0]);
    assert_eq!(search(&client, "text: \"needle\", types: [PRODUCT]").await, ["needle 4", "Needle 2"]);
    assert_eq!(search(&client, "text: \"needle\", types: CONTACT").await, ["Needle 3", "Needle 1"]);
    assert_eq!(search(&client, "text: \"needle\", types: [PRODUCT, CONTACT, PRODUCT]").await, all);
    assert_eq!(search(&client, "text: \"needle\", types: []").await, [""; 0]);
    let query =
        format!("query ($types: [SearchableType!]) {{ search(text: \"needle\", types: $types) {NAMES} }}");
    let answer = client.run(&query, json!({ "types": ["PRODUCT"] })).await;
    assert_eq!(names(answer.ok("/data/search")), ["needle 4", "Needle 2"]);
    let types: Vec<&Value> =
        answer.at("/data/search").as_array().unwrap().iter().map(|row| &row["__typename"]).collect();
    assert_eq!(types, ["Product", "Product"]);
    for wrong in ["text: \"x\", types: [USER]", "text: null", "first: 1"] {
        let answer = client.run(&format!("{{ search({wrong}) {NAMES} }}"), json!({})).await;
        assert_eq!(answer.body.get("data"), None, "{wrong}");
    }
    for wrong in ["-1", "201"] {
        let answer =
            client.run(&format!("{{ search(text: \"x\", first: {wrong}) {NAMES} }}"), json!({})).await;
        assert_ne!(answer.errors(), [""; 0], "{wrong}");
    }
}

#[tokio::test]
async fn types_that_the_session_may_not_read_are_left_out_unless_they_are_named() {
    let client = organisation().await;
    contact(&client, "Needle C", json!({})).await;
    product(&client, "Needle P").await;
    let sells = client.granted(&[Permission::ReadProducts]).await;
    assert_eq!(search(&sells, "text: \"needle\"").await, ["Needle P"]);
    let none = client.granted(&[]).await;
    for (client, arguments, expected) in [
        (&sells, "types: [CONTACT]", "FORBIDDEN"),
        (&sells, "types: [PRODUCT, CONTACT]", "FORBIDDEN"),
        (&none, "first: 5", "FORBIDDEN"),
        (&client.anonymous(), "first: 5", "UNAUTHENTICATED"),
    ] {
        // The same whether there is something to find or not.
        for text in ["needle", "nothing"] {
            let answer =
                client.run(&format!("{{ search(text: \"{text}\", {arguments}) {NAMES} }}"), json!({})).await;
            assert_eq!(answer.errors(), [expected], "{arguments}");
            assert_eq!(*answer.at("/data/search"), Value::Null);
        }
    }
}
