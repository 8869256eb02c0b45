//! An export with its own columns, imported into another organisation, is the same there: every
//! contact, with all addresses and labels.

use std::collections::BTreeMap;

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::select,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use super::export;
use crate::harness::{Client, organisation};

/// How many times contacts are made up.
const CASES: usize = 12;

const EVERYTHING: &str = "{ contacts(first: 200, orderBy: [{ name: ASC }]) { nodes { kind name birthday tags customFields \
    notes externalId emails { address label } phones { number label } \
    addresses { street postalCode city region country label } company { name } } } }";

/// Texts that have given programs trouble.
fn text() -> impl Strategy<Value = String> {
    let hostile = select(vec![
        "=1+1",
        "'=1",
        "@x",
        "-5",
        "+43 1",
        "a;b",
        "a\\;b",
        "c\\",
        "\"q\"",
        "two\nlines",
        "two\r\nlines",
        "tab\tin",
        "[x]",
        "{}",
        "Zoë",
        "x,y",
        "TRUE",
        "007",
        "1e3",
        "2024-02-30",
        "null",
        "😀",
    ]);
    prop_oneof![hostile.prop_map(str::to_owned), "[a-c]{1,3}"]
}

fn line() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.replace(['\n', '\r', '\t'], " "))
}

fn parts(key: &'static str, texts: BoxedStrategy<String>) -> impl Strategy<Value = Value> {
    let part =
        (texts, option::of(line())).prop_map(move |(text, label)| json!({ key: text, "label": label }));
    vec(part, 0..3).prop_map(Value::from)
}

fn addresses() -> impl Strategy<Value = Value> {
    let lines = ["street", "postalCode", "city", "region", "country", "label"];
    let address =
        vec(option::of(line()), lines.len()).prop_filter_map("an address has a line", move |values| {
            let some = values.iter().take(5).any(Option::is_some);
            some.then(|| json!(lines.iter().zip(values).collect::<BTreeMap<_, _>>()))
        });
    vec(address, 0..3).prop_map(Value::from)
}

/// A contact without its kind, name and company.
fn rest() -> impl Strategy<Value = Value> {
    let email = "[a-z]{1,5}@[a-z]{1,4}\\.example".boxed();
    let custom = option::of((line(), -1000..1000)).prop_map(|custom| match custom {
        Some((text, number)) => json!({ "text": text, "number": number, "none": null }),
        None => json!({}),
    });
    let birthday = option::of(select(vec!["1999-12-31", "2000-02-29"]));
    let lists = (parts("address", email), parts("number", line().boxed()), addresses());
    (lists, birthday, vec(line(), 0..3), custom, option::of(text())).prop_map(
        |((emails, phones, addresses), birthday, tags, custom, notes)| {
            json!({
                "emails": emails, "phones": phones, "addresses": addresses, "birthday": birthday,
                "tags": tags, "customFields": custom, "notes": notes,
            })
        },
    )
}

async fn everything(client: &Client) -> Value {
    client.run(EVERYTHING, json!({})).await.ok("/data/contacts/nodes").clone()
}

/// Exports all contacts with the columns that an export has by default, and imports them elsewhere.
pub(crate) async fn carried_over(client: &Client) -> Client {
    let exported = export(client, "contacts.csv", &[]).await;
    assert_eq!(exported.status, 200, "{}", exported.text);
    let other = organisation().await;
    let import = "mutation ($input: ImportContactsInput!) { importContacts(input: $input) { createdCount ignoredColumns \
                  rowErrors { line column message } userErrors { message } } }";
    let answer = other.mutate(import, json!({ "csv": exported.text })).await;
    let payload = answer.ok("/data/importContacts");
    assert_eq!(payload["rowErrors"], json!([]), "{}", exported.text);
    let standard = ["id", "createdById", "createdAt", "updatedAt", "revision", "deletedAt"];
    assert_eq!(payload["ignoredColumns"], json!(standard));
    assert_eq!(everything(&other).await, everything(client).await, "{}", exported.text);
    other
}

#[tokio::test]
async fn what_is_exported_and_imported_is_the_same() {
    let mut runner = TestRunner::new(Config::default());
    for case in 0..CASES {
        let client = organisation().await;
        let companies = vec(rest(), 1..4).new_tree(&mut runner).unwrap().current();
        let people = vec(rest(), 1..4).new_tree(&mut runner).unwrap().current();
        let mut ids = vec![];
        for (number, mut contact) in companies.into_iter().enumerate() {
            contact["kind"] = json!("COMPANY");
            contact["name"] = json!(format!("company {case} =\"{number}\"; [x]"));
            contact["externalId"] = json!(format!("key;{number}"));
            ids.push(client.create_contact(contact).await["id"].clone());
        }
        for (number, mut contact) in people.into_iter().enumerate() {
            contact["kind"] = json!("PERSON");
            contact["name"] = json!(format!("person {number}"));
            contact["companyId"] =
                if number % 2 == 0 { ids[number % ids.len()].clone() } else { Value::Null };
            client.create_contact(contact).await;
        }
        // And back again.
        carried_over(&carried_over(&client).await).await;
    }
}
