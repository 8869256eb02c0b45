//! How PostgreSQL answers searches where there are many rows of many organisations.

use serde_json::{Value, json};

use super::explained::{Explained, Plan};
use crate::harness::{Client, superuser};

const ORGANISATIONS: usize = 5;
const CONTACTS: usize = 4000;
/// How many of them have the rare word.
const RARE: usize = 8;
/// What a page reads, and the row more that tells whether there is more.
const PAGE: usize = 20 + 1;

/// Contacts of many organisations, those of this client among them. Every second has the common word.
async fn fill(explained: &Explained, client: &Client) {
    let ours = client.organisation_id();
    // As a replica: without the triggers, which would write as much audit.
    let sql = format!(
        "SET session_replication_role = replica;
         INSERT INTO contacts (organisation_id, id, kind, name, created_at)
         SELECT organisation, gen_random_uuid(), 'COMPANY',
             md5(number::text) || CASE WHEN number % 2 = 0 THEN ' common' ELSE '' END
                 || CASE WHEN number % {} = 0 THEN ' räre' ELSE '' END,
             now() - number * interval '1 minute'
         FROM (SELECT '{ours}'::uuid UNION ALL
               SELECT gen_random_uuid() FROM generate_series(2, {ORGANISATIONS})) AS every (organisation),
             generate_series(1, {CONTACTS}) AS number;
         SET session_replication_role = DEFAULT;
         ALTER TABLE contacts SET (autovacuum_enabled = false)",
        CONTACTS / RARE
    );
    superuser(explained.addresses.database()).await.batch_execute(&sql).await.unwrap();
}

/// The nodes of plans, innermost last.
fn nodes(plans: &[Plan]) -> Vec<Value> {
    fn below(node: &Value, found: &mut Vec<Value>) {
        let mut own = node.clone();
        let inner = own.as_object_mut().unwrap().remove("Plans");
        found.push(own);
        inner.iter().flat_map(|inner| inner.as_array().unwrap()).for_each(|node| below(node, found));
    }
    let mut found = vec![];
    plans.iter().for_each(|plan| below(&plan.json["Plan"], &mut found));
    found
}

/// How many rows a node looked at.
fn looked_at(node: &Value) -> f64 {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let left_out = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    (number("Actual Rows") + left_out) * number("Actual Loops")
}

/// What the plans of a search looked at in contacts: the index of the search, and the rows.
async fn asked(explained: &Explained, client: &Client, text: &str) -> (bool, f64) {
    let query = "query ($text: String) { contacts(search: $text, first: 20) { nodes { id } pageInfo { hasNextPage } } }";
    let (mut by_index, mut most) = (true, 0_f64);
    // PostgreSQL makes a plan for any values after five for certain ones.
    for _ in 0..8 {
        explained.take();
        client.run(query, json!({ "text": text })).await.ok("/data/contacts");
        let nodes = nodes(&explained.take());
        by_index &= nodes.iter().any(|node| {
            node["Index Name"] == "contacts_search"
                && node["Index Cond"].as_str().is_some_and(|cond| cond.contains("organisation_id = "))
        });
        for node in nodes.iter().filter(|node| node["Relation Name"] == "contacts") {
            assert_ne!(node["Node Type"], "Seq Scan", "reads all contacts of everybody: {node}");
            most = most.max(looked_at(node));
        }
    }
    (by_index, most)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_go_by_their_index_and_stop_at_the_page() {
    let explained = Explained::with_functions("search_plans").await;
    let client = explained.client.signed_up().await;
    let empty = explained.client.signed_up().await;
    fill(&explained, &client).await;
    superuser(explained.addresses.database()).await.batch_execute("VACUUM ANALYZE contacts").await.unwrap();
    let count = |number: usize| f64::from(u32::try_from(number).unwrap());
    // The rows that have it, and no others.
    assert_eq!(asked(&explained, &client, "RARE").await, (true, count(RARE)));
    assert_eq!(asked(&explained, &client, "common rare").await, (true, count(RARE)));
    // Too many for their ids: no more rows than it takes to know that, and to fill the page.
    let (_, most) = asked(&explained, &client, "common").await;
    assert!(most <= 2.0 * 1001.0, "{most}");
    // Without trigrams: along the list to the end of the page, and nothing else.
    let (by_index, most) = asked(&explained, &client, "mm").await;
    assert!(!by_index && most <= 2.0 * count(PAGE), "{most}");
    // An organisation without rows looks at none, whatever others have.
    for text in ["rare", "common", "mm"] {
        assert_eq!(asked(&explained, &empty, text).await.1, 0.0, "{text}");
    }
}
