//! Search among 200,000 contacts, beside SQL written by hand for which PostgreSQL may choose the index.
//!
//! The SQL by hand runs without row security, with a condition on the organisation in its place: below row
//! security PostgreSQL takes no index for LIKE.

use anyhow::{Result, ensure};
use gateway::{Mutation, Query};
use serde_json::Value;
use tenancy::Role;
use uuid::Uuid;

use crate::{
    flow::{say, with_cluster},
    options::InProcess,
    within::{Known, Within, beside},
};

const CONTACTS: i32 = 200_000;

/// What is searched for. Of the contacts, each of which is called `Company 123` and has the address
/// `office@company123.example`, so many match.
const SEARCHES: &[(&str, &str)] = &[
    ("Company 123456", "1"),
    ("1234", "some 60"),
    ("company 777", "some 600"),
    ("777 example", "the same, one word in all of them"),
    ("no such company", "none"),
    ("company 77", "some 8,000"),
    ("office", "all"),
];

/// Measures and prints.
pub(crate) async fn run(options: InProcess) -> Result<()> {
    with_cluster(async |_, cluster| {
        let within = Within::open(cluster).await?;
        let user = Uuid::now_v7();
        say(&format!("{CONTACTS} contacts are loaded"));
        within.load(CONTACTS, user, 1).await?;
        println!("the newest 20 of {CONTACTS} contacts that match");
        println!(
            "processor time of process and PostgreSQL in us: median (lowest-highest) of {} rounds\n",
            options.rounds
        );
        for (search, hits) in SEARCHES {
            println!("{search:?}: {hits}");
            measure(options, &within, user, search).await?;
        }
        Ok(())
    })
    .await
}

async fn measure(options: InProcess, within: &Within, user: Uuid, search: &str) -> Result<()> {
    let schema = gateway::build::<Query, Mutation>(None);
    let model = gateway::model_of(&schema).map_err(anyhow::Error::msg)?;
    let document =
        format!("{{ contacts(search: {search:?}, first: 20) {{ nodes {{ name email createdAt }} }} }}");
    let service = Known::new(schema, model, &document)?;
    let scope = within.scope(user, vec![Role::Admin], &[]);
    let by_hand = by_hand(within.organisation, search);
    let ask_by_hand = async || Ok(within.admin.query_one(by_hand.as_str(), &[]).await?.get::<_, String>(0));
    let answer: Value = serde_json::from_slice(&service.ask(&scope).await?)?;
    let floor: Value = serde_json::from_str(&ask_by_hand().await?)?;
    let names = |nodes: Option<&Value>| -> Vec<Value> {
        let nodes = nodes.and_then(Value::as_array);
        nodes.into_iter().flatten().filter_map(|node| node.get("name")).cloned().collect()
    };
    let (ours, theirs) = (names(answer.pointer("/contacts/nodes")), names(Some(&floor)));
    ensure!(ours == theirs, "other contacts than by hand: {answer} {floor}");
    let service = async || service.ask(&scope).await.map(drop);
    beside(options, within.postmaster, service, async || ask_by_hand().await.map(drop)).await
}

/// The words have nothing that would need an escape.
fn by_hand(organisation: Uuid, search: &str) -> String {
    let words = search.to_lowercase();
    let conditions: String = words.split(' ').map(|word| format!(" AND search LIKE '%{word}%'")).collect();
    format!(
        "SELECT coalesce(json_agg(page), '[]')::text FROM (
             SELECT name, email, created_at FROM contacts
             WHERE organisation_id = '{organisation}' AND deleted_at IS NULL AND search <> ''{conditions}
             ORDER BY created_at DESC, id DESC LIMIT 20
         ) AS page"
    )
}
