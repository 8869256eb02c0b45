//! What cannot be meant: said at once, with its place, before PostgreSQL is asked.

use serde_json::{Value, json};
use tenancy::ManualClock;
use uuid::Uuid;

use super::insert;
use crate::harness::{self, Client, connect, organisation, postgres};

/// A question about products, and what is wrong with it.
const PRODUCTS: &[(&str, &str, &str)] = &[
    ("having: { avg: { margin: { gt: \"3\" } } }", "count avg { ourCost }", "having.avg.margin"),
    ("having: { sum: { margin: { gt: \"3\" } } }", "count avg { margin }", "having.sum.margin"),
    ("having: { countDistinct: { unit: { eq: 0 } } }", "count", "having.countDistinct.unit"),
    ("having: { count: { gt: null } }", "count", "having.count.gt"),
    ("orderBy: [{ count: ASC }, { sum: { ourCost: ASC } }]", "count", "orderBy.1.sum.ourCost"),
    ("groupBy: { category: true }, orderBy: [{ key: { unit: ASC } }]", "count", "orderBy.0.key.unit"),
    ("orderBy: [{ key: { createdBy: { email: ASC } } }]", "count", "orderBy.0.key.createdBy.email"),
    (
        "orderBy: [{ count: ASC }, { count: ASC }, { count: ASC }, { count: ASC }, { count: ASC }, { count: ASC }]",
        "count",
        "orderBy",
    ),
    ("groupBy: { category: true }", "key { unit }", "groupBy"),
    ("groupBy: { category: false }", "key { category }", "groupBy"),
    ("groupBy: { createdBy: { email: true } }", "key { createdBy { name } }", "groupBy"),
    ("groupBy: { category: true }", "key { createdBy { email } }", "groupBy"),
    ("", "key { category }", "groupBy"),
    ("groupBy: { createdAt: { bucket: DAY, zone: \"Europe/Wien\" } }", "count", "groupBy.createdAt.zone"),
    ("groupBy: { createdAt: { bucket: DAY, zone: \"+01:00\" } }", "count", "groupBy.createdAt.zone"),
    ("groupBy: { createdAt: { bucket: DAY, zone: \"'; --\" } }", "count", "groupBy.createdAt.zone"),
    ("groupBy: { createdAt: { bucket: DAY, from: \"2020-01-01T00:00:00Z\" } }", "count", "groupBy.createdAt"),
    ("groupBy: { createdAt: { bucket: DAY, to: \"2020-01-01T00:00:00Z\" } }", "count", "groupBy.createdAt"),
    (
        "groupBy: { createdAt: { bucket: DAY, from: \"2020-01-02T00:00:00Z\", to: \"2020-01-01T00:00:00Z\" } }",
        "count",
        "groupBy.createdAt",
    ),
    (
        "groupBy: { createdAt: { bucket: DAY, from: \"2020-01-01T00:00:00Z\", to: \"2020-01-01T00:00:00Z\" } }",
        "count",
        "groupBy.createdAt",
    ),
    (
        "groupBy: { createdAt: { bucket: HOUR, from: \"2020-01-01T00:00:00Z\", to: \"2025-01-01T00:00:00Z\" } }",
        "count",
        "groupBy.createdAt",
    ),
    // Beside other keys a range is shorter, because every combination of them gets all of it.
    (
        "groupBy: { category: true, createdAt: { bucket: DAY, from: \"2020-01-01T00:00:00Z\", \
         to: \"2023-01-01T00:00:00Z\" } }",
        "count",
        "groupBy",
    ),
    (
        "groupBy: { createdAt: { bucket: YEAR, from: \"2020-01-01\", to: \"2025-01-01\" } }",
        "count",
        "groupBy.createdAt.from",
    ),
    (
        "groupBy: { createdAt: { bucket: DAY, from: \"2020-01-01T00:00:00Z\", to: \"2020-02-01T00:00:00Z\" }, \
         updatedAt: { bucket: DAY, from: \"2020-01-01T00:00:00Z\", to: \"2020-02-01T00:00:00Z\" } }",
        "count",
        "groupBy",
    ),
    (
        "groupBy: { createdBy: { createdAt: { bucket: DAY, from: \"2020-01-01T00:00:00Z\", \
         to: \"2020-02-01T00:00:00Z\" } } }",
        "count",
        "groupBy.createdBy.createdAt",
    ),
    ("groupBy: { createdBy: { createdBy: { email: true } } }", "count", "groupBy.createdBy.createdBy"),
    ("first: -1", "count", "first"),
    ("first: 1001", "count", "first"),
    ("where: { clientPrice: { gt: \"a lot\" } }", "count", "where.clientPrice.gt"),
];

/// The same about contacts.
const CONTACTS: &[(&str, &str, &str)] = &[
    ("groupBy: { birthday: { bucket: HOUR } }", "count", "groupBy.birthday"),
    (
        "groupBy: { birthday: { bucket: DAY, from: \"2020-01-01\", to: \"2050-01-01\" } }",
        "count",
        "groupBy.birthday",
    ),
    (
        "groupBy: { kind: true, name: true, companyId: true, email: true, phone: true, city: true, country: true, \
         externalId: true, company: { name: true } }",
        "count",
        "groupBy",
    ),
    ("groupBy: { company: { company: { name: true } } }", "count", "groupBy.company.company"),
    (
        "groupBy: { company: { name: true } }, orderBy: [{ key: { name: ASC } }]",
        "count",
        "orderBy.0.key.name",
    ),
];

/// A client of a server whose tables nobody can read as long as the connection lives: whoever asks
/// PostgreSQL waits, and is told so.
async fn barred() -> (Client, tokio_postgres::Client) {
    let addresses = postgres().migrated_database("refusals").await;
    let client = Client::of(&harness::start(&addresses, &ManualClock::default()).await).signed_up().await;
    let owner = connect(addresses.owner.as_str()).await;
    owner.batch_execute("BEGIN; LOCK TABLE contacts, products IN ACCESS EXCLUSIVE MODE").await.unwrap();
    (client, owner)
}

// Migrations run on threads of their own.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused_at_its_place_without_asking_postgresql() {
    let (client, owner) = barred().await;
    let cases = [("products", PRODUCTS), ("contacts", CONTACTS)];
    for (many, cases) in cases {
        for (arguments, selection, field) in cases {
            let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
            let query = format!("{{ {many}Aggregate{arguments} {{ {selection} }} }}");
            let answer = client.run(&query, json!({})).await;
            assert_eq!(answer.errors(), [format!("BAD_REQUEST {field}")], "{query} {}", answer.body);
            let message = answer.at("/errors/0/message").as_str().unwrap();
            assert!(message.ends_with('.') && message.len() > 20, "{query} {message}");
            assert_eq!(*answer.at("/errors/0/path"), json!([format!("{many}Aggregate")]), "{query}");
        }
    }
    // As variables they are read on another way.
    let query = "query ($by: ProductGroupBy) { productsAggregate(groupBy: $by) { count } }";
    let by = json!({ "createdAt": { "bucket": "DAY", "zone": "Nowhere" } });
    let answer = client.run(query, json!({ "by": by })).await;
    assert_eq!(answer.errors(), ["BAD_REQUEST groupBy.createdAt.zone"], "{}", answer.body);
    drop(owner);
}

#[tokio::test]
async fn what_the_schema_does_not_know_is_refused_with_a_code() {
    let client = organisation().await;
    for question in [
        "productsAggregate { sum { name } }",
        "productsAggregate { sum { revision } }",
        "productsAggregate(groupBy: { id: true }) { count }",
        "productsAggregate(groupBy: { createdAt: true }) { count }",
        "productsAggregate(groupBy: { createdAt: { bucket: DECADE } }) { count }",
        "productsAggregate(groupBy: { createdAt: { zone: \"UTC\" } }) { count }",
        "productsAggregate(having: { avg: { margin: { gt: 3.5 } } }) { avg { margin } }",
        "contactsAggregate { sum { name } }",
        "contactsAggregate(groupBy: { birthday: { bucket: DAY, zone: \"UTC\" } }) { count }",
        "contactsAggregate(groupBy: { people: { name: true } }) { count }",
        "contactsAggregate(groupBy: { tags: true }) { count }",
        "productsAggregate(orderBy: [{ count: ASC, key: { unit: ASC } }]) { count }",
        "productsAggregate(orderBy: [{}]) { count }",
    ] {
        let answer = client.run(&format!("{{ {question} }}"), json!({})).await;
        let codes: Vec<String> =
            answer.errors().iter().map(|error| error.split(' ').next().unwrap().to_owned()).collect();
        assert!(
            !codes.is_empty() && codes.iter().all(|code| code == "BAD_REQUEST"),
            "{question} {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn more_than_a_thousand_groups_are_an_error_and_never_cut_off() {
    let client = organisation().await;
    let product = |number: i32| {
        json!({
            "id": Uuid::now_v7(), "name": format!("Tea {number}"), "our_cost": number, "client_price": 0,
            "active": true, "revision": 1,
            "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
        })
    };
    insert(&client, "products", (1..=1001).map(product).collect()).await;
    let query = "query ($where: ProductFilter, $first: Int) { \
                 productsAggregate(where: $where, first: $first, groupBy: { name: true }) { key { name } count } }";
    let groups = async |filter: Value, first: Value| {
        let answer = client.run(query, json!({ "where": filter, "first": first })).await;
        answer.ok("/data/productsAggregate").as_array().unwrap().len()
    };
    let all = client.run(query, json!({})).await;
    assert_eq!(all.errors(), ["BAD_REQUEST first"]);
    assert_eq!(all.body["data"]["productsAggregate"], Value::Null);
    assert_eq!(groups(json!({ "name": { "ne": "Tea 7" } }), Value::Null).await, 1000);
    for first in [0, 1, 999, 1000] {
        assert_eq!(groups(Value::Null, json!(first)).await, first);
    }
}
