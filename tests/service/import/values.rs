//! What stands in the cells of a CSV: numbers, yes and no, several values in one.

use serde_json::{Value, json};

use super::import;
use crate::harness::{Answer, Client, organisation};

async fn products(client: &Client, csv: &str, skip_invalid: bool) -> Answer {
    let query = "mutation ($input: ImportProductsInput!) { importProducts(input: $input) { \
        createdCount validCount ignoredColumns products { name category ourCost clientPrice margin unit active } \
        rowErrors { line column code message } userErrors { code message field } } }";
    client.mutate(query, json!({ "csv": csv, "skipInvalid": skip_invalid })).await
}

/// Row, code and column of each row error.
fn row_errors(payload: &Value) -> Vec<String> {
    let errors = payload["rowErrors"].as_array().unwrap().iter();
    let line = |error: &Value| {
        format!("{} {} {}", error["line"], error["code"].as_str().unwrap(), error["column"].as_str().unwrap())
    };
    errors.map(line).collect()
}

#[tokio::test]
async fn products_come_with_round_numbers_exact_ones_and_none() {
    let client = organisation().await;
    let csv = "name,ourCost,clientPrice,active,unit\nRound,60,100,,hour\nExact,0.1,0.3,,\nCheap,,,, \n";
    let answer = products(&client, csv, false).await;
    let product = |name: &str, cost: &str, price: &str, margin: &str, unit: Value| json!({ "name": name, "category": null, "ourCost": cost, "clientPrice": price, "margin": margin, "unit": unit, "active": true });
    let expected = json!([
        product("Round", "60", "100", "40", json!("hour")),
        product("Exact", "0.1", "0.3", "0.2", json!(null)),
        product("Cheap", "0", "0", "0", json!(null)),
    ]);
    assert_eq!(answer.ok("/data/importProducts")["products"], expected);
}

#[tokio::test]
async fn yes_and_no_are_understood_as_spreadsheets_write_them() {
    let client = organisation().await;
    let spelt = [
        ("true", true),
        ("TRUE", true),
        ("Yes", true),
        ("1", true),
        ("false", false),
        ("FALSE", false),
        ("no", false),
        ("0", false),
        ("", true),
    ];
    let rows: String = spelt.iter().map(|(text, _)| format!("P,{text}\n")).collect();
    let answer = products(&client, &format!("name,active\n{rows}"), false).await;
    let found = answer.ok("/data/importProducts")["products"].as_array().unwrap().clone();
    let found: Vec<_> = found.iter().map(|product| product["active"].as_bool().unwrap()).collect();
    assert_eq!(found, spelt.map(|(_, meant)| meant));
    let answer = products(&client, "name,active\nP,maybe\nP,2\n", false).await;
    assert_eq!(row_errors(answer.ok("/data/importProducts")), ["2 INVALID active", "3 INVALID active"]);
}

#[tokio::test]
async fn an_amount_that_cannot_be_meant_is_an_error_of_its_cell() {
    let client = organisation().await;
    let cells = ["-1", "12,50", "1e3", "€5", "0.00001", "1000000000", "1.5.0"];
    let rows: String = cells.iter().map(|cell| format!("P,\"{cell}\"\n")).collect();
    let answer = products(&client, &format!("name,clientPrice\n{rows}Good,999999999.9999\n"), true).await;
    let payload = answer.ok("/data/importProducts");
    let expected: Vec<_> = (2..=cells.len() + 1).map(|line| format!("{line} INVALID clientPrice")).collect();
    assert_eq!(row_errors(payload), expected);
    assert_eq!((&payload["createdCount"], &payload["products"][0]["name"]), (&json!(1), &json!("Good")));
}

#[tokio::test]
async fn nobody_imports_a_margin() {
    let client = organisation().await;
    let answer = products(&client, "name,margin,clientPrice\nP,500,10\n", false).await;
    let payload = answer.ok("/data/importProducts");
    assert_eq!(
        (&payload["ignoredColumns"], &payload["products"][0]["margin"]),
        (&json!(["margin"]), &json!("10"))
    );
}

async fn all(client: &Client) -> Value {
    let query = "{ contacts(orderBy: [{ name: ASC }]) { nodes { name kind birthday tags customFields \
                 emails { address } phones { number } addresses { street postalCode city region country } } } }";
    client.run(query, json!({})).await.ok("/data/contacts/nodes").clone()
}

#[tokio::test]
async fn several_values_of_a_contact_stand_in_one_cell() {
    let client = organisation().await;
    let csv = "name,kind,birthday,emails,phones,tags,customFields,street,postalCode,city,region,country\n\
               Ada,Person,1815-12-10,a@x ;; b@x;,1; 2,x;y ; x,\"{\"\"vip\"\": true}\",Am Hof 1,1010,Wien,,Austria\n\
               Ben,PERSON,,,,,,,,,,\n";
    let answer = import(&client, json!({ "csv": csv })).await;
    assert_eq!(answer.ok("/data/importContacts")["createdCount"], 2, "{}", answer.body);
    let expected = json!([
        {
            "name": "Ada", "kind": "PERSON", "birthday": "1815-12-10", "tags": ["x", "y"], "customFields": { "vip": true },
            "emails": [{ "address": "a@x" }, { "address": "b@x" }], "phones": [{ "number": "1" }, { "number": "2" }],
            "addresses": [{ "street": "Am Hof 1", "postalCode": "1010", "city": "Wien", "region": null, "country": "Austria" }],
        },
        {
            "name": "Ben", "kind": "PERSON", "birthday": null, "tags": [], "customFields": {}, "emails": [], "phones": [],
            "addresses": [],
        },
    ]);
    assert_eq!(all(&client).await, expected);
}

#[tokio::test]
async fn a_mistake_in_a_cell_is_placed_at_its_column() {
    let client = organisation().await;
    let long = "x".repeat(201);
    for (columns, cell, expected) in [
        ("mail", "a@x;nobody", "2 INVALID mail"),
        ("tags", &"x".repeat(51), "2 INVALID tags"),
        ("birthday", "31.12.1999", "2 INVALID birthday"),
        ("customFields", "[1]", "2 INVALID customFields"),
        ("customFields", "vip", "2 INVALID customFields"),
        ("street", &long, "2 INVALID street"),
        ("companyId", "Alfreds", "2 INVALID companyId"),
        ("company", "A\0B", "2 INVALID company"),
    ] {
        let mapped =
            if columns == "mail" { json!([{ "column": "mail", "field": "EMAILS" }]) } else { json!([]) };
        let csv = format!("name,{columns}\nAda,{cell}\n");
        let answer = import(&client, json!({ "csv": csv, "columns": mapped })).await;
        assert_eq!(row_errors(answer.ok("/data/importContacts")), [expected], "{columns}");
    }
    assert_eq!(all(&client).await, json!([]));
}

#[tokio::test]
async fn who_belongs_to_a_company_that_is_not_made_is_not_made_either() {
    let client = organisation().await;
    let csv = "kind,name,emails,company\nCOMPANY,Acme,nonsense,\nPERSON,Ada,,Acme\nPERSON,Ben,,\n";
    for dry_run in [true, false] {
        let input = json!({ "csv": csv, "skipInvalid": true, "dryRun": dry_run });
        let answer = import(&client, input).await;
        let payload = answer.ok("/data/importContacts");
        assert_eq!(row_errors(payload), ["2 INVALID emails", "3 NOT_FOUND company"]);
        assert_eq!(
            (&payload["validCount"], &payload["createdCount"]),
            (&json!(1), &json!(if dry_run { 0 } else { 1 }))
        );
    }
    assert_eq!(all(&client).await[0]["name"], "Ben");
}
