//! What an export refuses, and how.

use serde_json::json;

use super::{blank, export};
use crate::{aggregates::insert, harness::organisation};

/// What is asked, and status, code and field of the refusal.
const REFUSED: &[(&[(&str, &str)], &str)] = &[
    (&[("where", "{name")], "400 BAD_REQUEST where"),
    (&[("where", "{name: {eq: \"a\"}}")], "400 BAD_REQUEST where"),
    (&[("where", "[]")], "400 BAD_REQUEST where"),
    (&[("where", "\"name\"")], "400 BAD_REQUEST where"),
    (&[("where", "{\"nothing\": {\"eq\": \"a\"}}")], "400 BAD_REQUEST where.nothing"),
    (&[("where", "{\"name\": {\"like\": \"a\"}}")], "400 BAD_REQUEST where.name.like"),
    (&[("where", "{\"name\": {\"eq\": null}}")], "400 BAD_REQUEST where.name.eq"),
    (&[("where", "{\"kind\": {\"eq\": \"ROBOT\"}}")], "400 BAD_REQUEST where.kind.eq"),
    (&[("where", "{\"or\": [{}, {\"id\": {\"eq\": 7}}]}")], "400 BAD_REQUEST where.or.1.id.eq"),
    (&[("where", "{\"company\": {\"nothing\": {}}}")], "400 BAD_REQUEST where.company.nothing"),
    (&[("orderBy", "name")], "400 BAD_REQUEST orderBy"),
    (&[("orderBy", "[{\"name\": \"UP\"}]")], "400 BAD_REQUEST orderBy.0.name"),
    (&[("orderBy", "[{\"name\": \"ASC\"}, {\"tags\": \"ASC\"}]")], "400 BAD_REQUEST orderBy.1.tags"),
    (&[("orderBy", "[{\"company\": {\"nothing\": \"ASC\"}}]")], "400 BAD_REQUEST orderBy.0.company.nothing"),
    (&[("columns", "name,nothing")], "400 BAD_REQUEST columns"),
    (&[("columns", "")], "400 BAD_REQUEST columns"),
    (&[("columns", "name,,kind")], "400 BAD_REQUEST columns"),
    (&[("columns", "name,kind,name")], "400 BAD_REQUEST columns"),
    (&[("columns", "company")], "400 BAD_REQUEST columns"),
    (&[("columns", "company.nothing")], "400 BAD_REQUEST columns"),
    (&[("columns", "company.company.name")], "400 BAD_REQUEST columns"),
    (&[("columns", "people.name")], "400 BAD_REQUEST columns"),
    (&[("columns", "organisation_id")], "400 BAD_REQUEST columns"),
    (&[("columns", "createdBy.passwordHash")], "400 BAD_REQUEST columns"),
    (&[("first", "10")], "400 BAD_REQUEST"),
    (&[("order_by", "[]")], "400 BAD_REQUEST"),
    (&[("columns", "name"), ("columns", "kind")], "400 BAD_REQUEST"),
];

#[tokio::test]
async fn what_cannot_be_meant_is_refused_before_the_first_row() {
    let client = organisation().await;
    for (asked, expected) in REFUSED {
        let exported = export(&client, "contacts.csv", asked).await;
        assert_eq!(exported.refusal(), *expected, "{asked:?} {}", exported.text);
        assert!(exported.content_type.starts_with("application/json"), "{exported:?}");
    }
    let columns = vec!["name"; 101].join(",");
    let exported = export(&client, "contacts.csv", &[("columns", &columns)]).await;
    assert_eq!(exported.refusal(), "400 BAD_REQUEST columns");
    let deep = format!("{}{{}}{}", "{\"not\": ".repeat(21), "}".repeat(21));
    let exported = export(&client, "contacts.csv", &[("where", &deep)]).await;
    assert!(exported.refusal().starts_with("400 BAD_REQUEST where.not.not"), "{}", exported.text);
    // So deep that it is not even read.
    let deep = format!("{}{{}}{}", "{\"not\": ".repeat(200), "}".repeat(200));
    assert_eq!(export(&client, "contacts.csv", &[("where", &deep)]).await.refusal(), "400 BAD_REQUEST where");
    for file in ["contacts", "contacts.json", "nothing.csv", "audit_entries.csv", "organisations.csv"] {
        assert_eq!(export(&client, file, &[]).await.refusal(), "404 BAD_REQUEST", "{file}");
    }
}

#[tokio::test]
async fn exports_are_for_those_who_may_read_the_list() {
    let admin = organisation().await;
    let mut stranger = admin.anonymous();
    stranger.access_token = Some("nonsense".to_owned());
    for client in [admin.anonymous(), stranger] {
        let exported = export(&client, "contacts.csv", &[]).await;
        assert_eq!(exported.refusal(), "401 UNAUTHENTICATED");
    }
    // What is wrong with a question is nobody's business who may not ask.
    let asked = [("where", "{}"), ("columns", "nothing")];
    assert_eq!(
        export(&admin.colleague(&["TRAINER"]).await, "contacts.csv", &asked).await.refusal(),
        "403 FORBIDDEN"
    );
    let tickets = admin.colleague(&["TICKET_ADMIN"]).await;
    for (file, expected) in [("contacts.csv", 200), ("users.csv", 200), ("products.csv", 403)] {
        assert_eq!(export(&tickets, file, &[]).await.status, expected, "{file}");
    }
}

#[tokio::test]
async fn an_export_has_nothing_of_other_organisations() {
    let (one, other) = (organisation().await, organisation().await);
    insert(&one, "contacts", vec![blank("COMPANY", "Mine")]).await;
    insert(&other, "contacts", vec![blank("COMPANY", "Theirs")]).await;
    let all = json!({ "or": [{ "name": { "eq": "Mine" } }, { "name": { "eq": "Theirs" } }] }).to_string();
    for asked in [vec![("columns", "name")], vec![("columns", "name"), ("where", all.as_str())]] {
        assert_eq!(export(&one, "contacts.csv", &asked).await.rows(), [["Mine"]]);
        assert_eq!(export(&other, "contacts.csv", &asked).await.rows(), [["Theirs"]]);
    }
}
