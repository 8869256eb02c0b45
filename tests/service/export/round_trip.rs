//! What was exported can be imported again.

use serde_json::{Value, json};

use super::export;
use crate::harness::{Client, organisation};

/// What an import of contacts takes, as an export calls it.
const CONTACTS: &str = "kind,name,company.name,emails,phones,city,country,birthday,tags,customFields,notes";
const PRODUCTS: &str = "name,category,ourCost,clientPrice,unit,active";

/// What an export answers, by name.
async fn exported(client: &Client, file: &str, columns: &str) -> String {
    let order = json!([{ "name": "ASC" }]).to_string();
    let exported = export(client, file, &[("columns", columns), ("orderBy", &order)]).await;
    assert_eq!(exported.status, 200, "{}", exported.text);
    exported.text
}

/// Imports a CSV; every row of it must be in order.
async fn import(client: &Client, entities: &str, input: Value) -> i64 {
    let query = format!(
        "mutation ($input: Import{entities}Input!) {{ import{entities}(input: $input) {{ \
         createdCount ignoredColumns rowErrors {{ line column code message }} userErrors {{ code message field }} }} }}"
    );
    let answer = client.run(&query, json!({ "input": input })).await;
    let payload = answer.ok(&format!("/data/import{entities}"));
    assert_eq!((&payload["rowErrors"], &payload["ignoredColumns"]), (&json!([]), &json!([])), "{payload}");
    payload["createdCount"].as_i64().unwrap()
}

async fn make(client: &Client, entity: &str, input: Value) {
    let one = entity.to_lowercase();
    let query = format!(
        "mutation ($input: Create{entity}Input!) {{ create{entity}(input: $input) {{ \
         {one} {{ id }} userErrors {{ code message field }} }} }}"
    );
    client.mutate(&query, input).await.ok(&format!("/data/create{entity}"));
}

/// Contacts with everything that a cell can hold.
async fn contacts(client: &Client) {
    let company = json!({ "kind": "COMPANY", "name": "Ash, Birch & \"Elm\"; Sons" });
    let company = client.create_contact(company).await;
    let all = [
        json!({ "kind": "COMPANY", "name": "Blank" }),
        json!({
            "kind": "PERSON", "name": "Cyd \"C\" O'Neill, Dr.", "companyId": company["id"],
            "emails": [{ "address": "one@example.org" }, { "address": "two@example.org" }],
            "phones": [{ "number": "+43 1 234" }, { "number": "(0)5, ext. \"7\"" }],
            "addresses": [{ "city": "Saint \"X\"", "country": "Côte d'Ivoire, The" }],
            "birthday": "2000-02-29", "tags": ["new", "a, b", "\"q\""],
            "customFields": { "size": [1, 2.5], "text": "two\nlines, \"and\"; more", "nothing": null },
            "notes": "first\n\n\"second\", third; fourth\r\nfifth\tsixth",
        }),
        json!({ "kind": "PERSON", "name": "Dee", "notes": "=1+1", "addresses": [{ "country": "Chile" }] }),
        json!({ "kind": "PERSON", "name": "=HYPERLINK(\"a\")", "tags": ["'"] }),
    ];
    for input in all {
        make(client, "Contact", input).await;
    }
}

#[tokio::test]
async fn contacts_of_one_organisation_become_the_same_contacts_of_another() {
    let (one, other) = (organisation().await, organisation().await);
    contacts(&one).await;
    let csv = exported(&one, "contacts.csv", CONTACTS).await;
    let columns = json!([{ "column": "company.name", "field": "COMPANY" }]);
    assert_eq!(import(&other, "Contacts", json!({ "csv": csv, "columns": columns })).await, 5);
    assert_eq!(exported(&other, "contacts.csv", CONTACTS).await, csv);
    let query = "{ contacts(orderBy: [{ name: ASC }]) { nodes { kind name emails { address label } \
        phones { number label } addresses { street postalCode city region country label } birthday tags \
        customFields notes company { name } } } }";
    let (was, is) = (one.run(query, json!({})).await, other.run(query, json!({})).await);
    assert_eq!(was.ok("/data"), is.ok("/data"));
}

#[tokio::test]
async fn a_semicolon_in_a_value_does_not_make_two_of_it() {
    let (one, other) = (organisation().await, organisation().await);
    let input = json!({
        "kind": "PERSON", "name": "Ada", "tags": ["a; b", "c\\", "d\\;e"],
        "phones": [{ "number": "+43-1-234;ext=5" }],
    });
    make(&one, "Contact", input).await;
    let csv = exported(&one, "contacts.csv", "kind,name,phones,tags").await;
    assert_eq!(import(&other, "Contacts", json!({ "csv": csv })).await, 1);
    let query = "{ contacts { nodes { phones { number } tags } } }";
    let (was, is) = (one.run(query, json!({})).await, other.run(query, json!({})).await);
    assert_eq!(was.ok("/data"), is.ok("/data"), "{csv}");
}

#[tokio::test]
async fn products_come_back_with_every_digit() {
    let (one, other) = (organisation().await, organisation().await);
    for (name, cost, price) in [("A", "0.0001", "999999999.9999"), ("B", "1.50", "1.5"), ("C", "0", "12")] {
        let input = json!({
            "name": name, "ourCost": cost, "clientPrice": price, "active": name == "A",
            "category": if name == "B" { Value::Null } else { json!("x, \"y\"") }, "unit": "10 \"boxes\"",
        });
        make(&one, "Product", input).await;
    }
    let csv = exported(&one, "products.csv", PRODUCTS).await;
    assert_eq!(import(&other, "Products", json!({ "csv": csv })).await, 3);
    assert_eq!(exported(&other, "products.csv", PRODUCTS).await, csv);
    assert!(csv.contains("0.0001,999999999.9999") && csv.contains("1.50,1.5"), "{csv}");
}
