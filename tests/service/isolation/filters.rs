//! Filters: an id of another organisation is an id of nobody, wherever it stands.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::strangers;
use crate::harness::{
    Client,
    generate::{Filling, IdPlace, RootField, Schema},
    rows::{Row, Rows},
};

/// What filters answer shows rows and no more: what those point at is asked for elsewhere.
const DEPTH: usize = 1;

/// An id as well-formed as this one, which is nobody's.
fn nobodys(id: &str) -> Row {
    let (front, last) = id.split_at(id.len() - 1);
    Row { id: format!("{front}{}", if last == "0" { '1' } else { '0' }), revision: 1 }
}

/// What a client is answered with this id at the place.
async fn answer(client: &Client, rows: &Rows, root: &RootField, place: &IdPlace, id: &Row) -> Value {
    let filling = Filling { rows, other: Some((&place.path, id)), log_in: &client.log_in };
    let request = Schema::served().request_to_depth(root, DEPTH, filling);
    client.run(&request.query, request.variables).await.ok(&format!("/data/{}", root.name)).clone()
}

/// Asks with one id of the owner's rows, and with one that is nobody's; what is wrong with the answers.
async fn tried(root: &RootField, place: &IdPlace, meaning: &str, both: [(&Client, &Rows); 2]) -> Vec<String> {
    let [(stranger, own), (owner, foreign)] = both;
    let row = foreign.row(meaning);
    let unknown = nobodys(&row.id);
    let refused = answer(stranger, own, root, place, row).await;
    let mut wrong = vec![];
    if refused != answer(stranger, own, root, place, &unknown).await {
        wrong.push("is not the same as an id of nobody");
    }
    if foreign.appear_in(&refused.to_string()) {
        wrong.push("tells a stranger something");
    }
    let path = place.path.join(".");
    let granted = answer(owner, foreign, root, place, row).await;
    if granted == answer(owner, foreign, root, place, &unknown).await {
        wrong.push("does not work for the owner");
    }
    wrong.into_iter().map(|wrong| format!("{}({path}: {meaning}) {wrong}: {granted}", root.name)).collect()
}

/// What there is to try in filters: every operator of every id of a filter's own, and the id of what each
/// of its relations leads to. Root fields that take the same filter read it alike, and a filter inside
/// another is the one that its own list takes.
fn to_be_tried(schema: &Schema) -> Vec<(RootField, IdPlace)> {
    let (mut tried, mut seen) = (vec![], HashSet::new());
    for root in schema.root_fields() {
        for place in schema.id_places(&root).into_iter().filter(|place| place.in_filter) {
            let is_own = place.filters.len() == 1;
            let is_first = seen.insert((place.filters[0].clone(), place.path.clone()));
            if is_first && (is_own || place.path.ends_with(&["id".to_owned(), "eq".to_owned()])) {
                tried.push((root.clone(), place));
            }
        }
    }
    tried
}

#[tokio::test]
async fn an_id_of_another_organisation_in_a_filter_is_an_id_of_nobody() {
    let schema = Schema::served();
    let (owner, stranger) = strangers().await;
    let (foreign, own) = (Rows::of(&owner).await, Rows::of(&stranger).await);
    let both = [(&stranger, &own), (&owner, &foreign)];
    let (mut count, mut wrong) = (0, vec![]);
    for (root, place) in to_be_tried(schema) {
        for meaning in schema.meanings(&root, &place) {
            wrong.extend(tried(&root, &place, meaning, both).await);
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 30, "only {count} ids were tried");
}

/// Lists whose rows, order and totals depend on other rows than the answered ones.
const DEPENDENT: &[&str] = &[
    "contacts(orderBy: [{ name: ASC }]) { nodes { name people(orderBy: [{ name: ASC }]) { totalCount nodes { name } } } totalCount }",
    "contacts(where: { company: { name: { eq: \"Twin\" } } }) { nodes { name company { name notes } } totalCount }",
    "contacts(where: { people: { some: { name: { startsWith: \"T\" } } } }) { nodes { name } totalCount }",
    "contacts(where: { people: { none: {} } }, orderBy: [{ name: ASC }]) { nodes { name } totalCount }",
    "contacts(where: { people: { every: { notes: { eq: \"own\" } } } }, orderBy: [{ name: ASC }]) { nodes { name } totalCount }",
    "contacts(where: { people: { count: { eq: 1 } } }) { nodes { name } totalCount }",
    "contacts(where: { createdBy: { name: { contains: \"a\" } } }, first: 0) { nodes { name } totalCount }",
    "contacts(orderBy: [{ company: { notes: DESC } }, { name: ASC }], last: 1) { nodes { name } pageInfo { hasPreviousPage } totalCount }",
    "users(where: { createdBy: { name: { contains: \"a\" } } }) { nodes { name } totalCount }",
];

/// A company and somebody who belongs to it, of the same names in every organisation.
async fn twins(client: &Client, notes: &str) {
    let company = client.create_contact(json!({ "name": "Twin", "notes": notes })).await;
    let person = json!({ "kind": "PERSON", "name": "Tom", "notes": notes, "companyId": company["id"] });
    client.create_contact(person).await;
}

#[tokio::test]
async fn rows_of_another_organisation_change_no_answer() {
    let (owner, stranger) = strangers().await;
    twins(&stranger, "own").await;
    let answers = async || {
        let mut answers = vec![];
        for list in DEPENDENT {
            answers.push(stranger.run(&format!("{{ {list} }}"), json!({})).await.ok("/data").clone());
        }
        answers
    };
    let before = answers().await;
    assert!(before[..8].iter().all(|answer| answer["contacts"]["totalCount"] != 0), "{before:?}");
    twins(&owner, "foreign").await;
    Rows::of(&owner).await;
    assert_eq!(answers().await, before);
}
