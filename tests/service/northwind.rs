//! The figures of a trading company: Microsoft's Northwind, imported through the service, its figures
//! held against plain SQL. The files are not part of this project; where the folder is missing, these
//! tests say so and do nothing.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use bigdecimal::BigDecimal;
use serde_json::{Value, json};

use crate::{
    export::both_ways::carried_over,
    harness::{Client, connect, organisation, server},
};

/// Beside the project.
const FOLDER: &str = "../shared/data/northwind";
/// Northwind tells no costs; here a product costs 60 % of its price.
const COST_OF_PRICE: &str = "0.6";

/// The folder, if it is there.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FOLDER);
    if !folder.is_dir() {
        // Not println: the harness would keep it to itself.
        let mut told = io::stderr();
        writeln!(told, "skipped: there is no folder {FOLDER}").unwrap();
        return None;
    }
    Some(folder)
}

/// A field as its enum calls it.
fn enum_name(field: &str) -> String {
    let letter = |letter: char| {
        if letter.is_uppercase() { format!("_{letter}") } else { letter.to_uppercase().to_string() }
    };
    field.chars().map(letter).collect()
}

/// Imports a CSV, and answers how many rows it made.
async fn import(client: &Client, entities: &str, csv: &str, columns: &[(&str, &str)]) -> usize {
    let columns: Vec<Value> = columns
        .iter()
        .map(|(column, field)| json!({ "column": column, "field": enum_name(field) }))
        .collect();
    let query = format!(
        "mutation ($input: Import{entities}Input!) {{ import{entities}(input: $input) {{ \
         createdCount rowErrors {{ line column message }} userErrors {{ message }} }} }}"
    );
    let answer = client.run(&query, json!({ "input": { "csv": csv, "columns": columns } })).await;
    let payload = answer.ok(&format!("/data/import{entities}"));
    assert_eq!(payload["rowErrors"], json!([]), "{payload}");
    usize::try_from(payload["createdCount"].as_u64().unwrap()).unwrap()
}

/// The products with their costs, and whether they are still sold instead of no longer.
fn with_costs(csv: &str) -> String {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header = reader.headers().unwrap().clone();
    let place = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (price, discontinued) = (place("unit_price"), place("discontinued"));
    let mut writer = csv::Writer::from_writer(vec![]);
    writer.write_record(header.iter().chain(["cost", "sold"])).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let cost =
            record[price].parse::<BigDecimal>().unwrap() * COST_OF_PRICE.parse::<BigDecimal>().unwrap();
        let sold = if &record[discontinued] == "1" { "false" } else { "true" };
        writer.write_record(record.iter().chain([cost.to_plain_string().as_str(), sold])).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// An organisation with the products.
async fn shop(folder: &Path) -> Client {
    let (client, csv) = (organisation().await, fs::read_to_string(folder.join("products.csv")).unwrap());
    let columns = [
        ("product_name", "name"),
        ("category_name", "category"),
        ("quantity_per_unit", "unit"),
        ("unit_price", "clientPrice"),
        ("cost", "ourCost"),
        ("sold", "active"),
    ];
    assert_eq!(import(&client, "Products", &with_costs(&csv), &columns).await, csv.lines().count() - 1);
    client
}

/// An organisation with the customers, and the people one speaks to there.
async fn customers(folder: &Path) -> Client {
    let (client, csv) = (organisation().await, fs::read_to_string(folder.join("customers.csv")).unwrap());
    let companies = [("company_name", "name"), ("address", "street"), ("postal_code", "postalCode")];
    let people = [("contact_name", "name"), ("company_name", "company"), ("contact_title", "notes")];
    for columns in [companies, people] {
        assert_eq!(import(&client, "Contacts", &csv, &columns).await, csv.lines().count() - 1);
    }
    client
}

/// What plain SQL answers about the rows of this organisation, every value as text.
async fn sql(client: &Client, query: &str) -> Vec<Vec<Option<String>>> {
    let owner = connect(server().addresses.owner.as_str()).await;
    let query = query.replace("$ours", &format!("organisation_id = '{}'", client.organisation_id()));
    let rows = owner.query(&query, &[]).await.unwrap();
    rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()
}

/// What the service answers: of each group the values at these pointers, as text.
async fn ask(client: &Client, field: &str, query: &str, pointers: &[&str]) -> Vec<Vec<Option<String>>> {
    let answer = client.run(query, json!({})).await;
    let groups = answer.ok(&format!("/data/{field}")).as_array().unwrap().clone();
    let text = |group: &Value, pointer: &str| match group.pointer(pointer).unwrap() {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    groups.iter().map(|group| pointers.iter().map(|pointer| text(group, pointer)).collect()).collect()
}

#[tokio::test]
async fn customers_exported_and_imported_elsewhere_are_the_same() {
    let Some(folder) = folder() else { return };
    carried_over(&customers(&folder).await).await;
}

#[tokio::test]
async fn prices_and_margins_by_category_are_those_of_plain_sql() {
    let Some(folder) = folder() else { return };
    let client = shop(&folder).await;
    let pointers =
        ["/key/category", "/count", "/avg/clientPrice", "/avg/margin", "/sum/margin", "/countDistinct/unit"];
    let query = "{ productsAggregate(groupBy: { category: true }, orderBy: [{ avg: { margin: DESC } }]) { \
        key { category } count countDistinct { unit } sum { margin } avg { clientPrice margin } } }";
    let figures = ask(&client, "productsAggregate", query, &pointers).await;
    let expected = sql(
        &client,
        "SELECT category, count(*)::text, avg(client_price)::text, avg(client_price - our_cost)::text, \
         sum(client_price - our_cost)::text, count(DISTINCT unit)::text FROM products \
         WHERE $ours GROUP BY category ORDER BY avg(client_price - our_cost) DESC, category",
    )
    .await;
    assert!(figures.len() > 5, "{figures:?}");
    assert_eq!(figures, expected);

    let query = "{ productsAggregate(where: { active: { eq: true } }, groupBy: { category: true }, \
        having: { avg: { margin: { gt: \"10\" } }, count: { gte: 5 } }, orderBy: [{ count: DESC }], first: 3) { \
        key { category } count avg { margin } } }";
    let figures = ask(&client, "productsAggregate", query, &["/key/category", "/count", "/avg/margin"]).await;
    let expected = sql(
        &client,
        "SELECT category, count(*)::text, avg(margin)::text FROM products WHERE $ours AND active \
         GROUP BY category HAVING avg(margin) > 10 AND count(*) >= 5 ORDER BY count(*) DESC, category LIMIT 3",
    )
    .await;
    assert!(!figures.is_empty());
    assert_eq!(figures, expected);
}

#[tokio::test]
async fn contacts_by_country_and_by_letter_are_those_of_plain_sql() {
    let Some(folder) = folder() else { return };
    let client = customers(&folder).await;
    let query = "{ contactsAggregate(groupBy: { kind: true, country: true }, orderBy: [{ count: DESC }]) { \
        key { kind country } count countDistinct { city } min { name } } }";
    let pointers = ["/key/kind", "/key/country", "/count", "/countDistinct/city", "/min/name"];
    let figures = ask(&client, "contactsAggregate", query, &pointers).await;
    let expected = sql(
        &client,
        "SELECT kind, country, count(*)::text, count(DISTINCT city)::text, min(name) FROM contacts \
         WHERE $ours GROUP BY kind, country ORDER BY count(*) DESC, kind, country",
    )
    .await;
    assert!(figures.len() > 20, "{figures:?}");
    assert_eq!(figures, expected);

    // The people again, by the country of the company they belong to.
    let query = "{ contactsAggregate(where: { kind: { eq: PERSON } }, groupBy: { company: { country: true } }) { \
        key { company { country } } count } }";
    let figures = ask(&client, "contactsAggregate", query, &["/key/company/country", "/count"]).await;
    let expected = sql(
        &client,
        "SELECT company.country, count(*)::text FROM contacts AS person JOIN contacts AS company \
         ON company.id = person.company_id WHERE person.$ours GROUP BY 1 ORDER BY 1",
    )
    .await;
    assert_eq!(figures, expected);

    let mut all = 0;
    for (from, to) in [("A", "F"), ("F", "M"), ("M", "S"), ("S", "ZZZZ")] {
        let query = format!(
            "{{ contactsAggregate(where: {{ name: {{ gte: \"{from}\", lt: \"{to}\" }} }}, \
             groupBy: {{ kind: true }}) {{ key {{ kind }} count }} }}"
        );
        let figures = ask(&client, "contactsAggregate", &query, &["/key/kind", "/count"]).await;
        let expected = sql(
            &client,
            &format!(
                "SELECT kind, count(*)::text FROM contacts WHERE $ours AND name >= '{from}' AND name < '{to}' \
                 GROUP BY kind ORDER BY kind"
            ),
        )
        .await;
        assert_eq!(figures, expected, "{from} to {to}");
        all +=
            figures.iter().map(|group| group[1].as_ref().unwrap().parse::<usize>().unwrap()).sum::<usize>();
    }
    let total = sql(&client, "SELECT count(*)::text FROM contacts WHERE $ours").await;
    assert_eq!(Some(all.to_string()), total[0][0], "every name lies in one of the ranges");
}
