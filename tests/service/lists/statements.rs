//! What stays in PostgreSQL of many different lists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{draw, explained::Explained, fixture::fixture, request::filter, runner, tables::CONTACTS};

/// Tenancy's own bound.
const MAX_STATEMENTS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_keeps_the_statements_of_all_filters_that_there_were() {
    let explained = Explained::start("list_statements").await;
    let client = explained.client.signed_up().await;
    let (mut runner, again) = runner(1, 0);
    let fixture = draw(&mut runner, &fixture());
    let filters = filter(&fixture, &CONTACTS, 2);
    let mut by_connection: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut all = BTreeSet::new();
    while all.len() <= MAX_STATEMENTS + 20 {
        let variables = json!({ "where": draw(&mut runner, &filters) });
        let query = "query ($where: ContactFilter) { contacts(first: 1, where: $where) { nodes { id } } }";
        client.run(query, variables).await.ok("/data");
        for plan in explained.take() {
            let statement = plan.json["Query Text"].as_str().unwrap().to_owned();
            all.insert(statement.clone());
            by_connection.entry(plan.connection).or_default().insert(statement);
        }
    }
    let kept: Vec<usize> = by_connection.values().map(BTreeSet::len).collect();
    assert!(kept.iter().all(|statements| *statements <= MAX_STATEMENTS), "{kept:?}, {again}");
}
