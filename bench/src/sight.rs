//! "My contacts": the list of a session that sees 20 of 200,000 contacts, beside the same condition in
//! SQL written by hand.

use anyhow::{Result, ensure};
use gateway::{Mutation, Query};
use serde_json::Value;
use tenancy::{Permission, Role};
use uuid::Uuid;

use crate::{
    floor::{Lane, ListForm},
    flow::{say, with_cluster},
    options::InProcess,
    within::{Known, Within, beside},
};

const CONTACTS: i32 = 200_000;
/// Every so many contacts is the user's own.
const EVERY: i32 = 10_000;

const MINE: &str = "{ contacts(first: 20) { totalCount nodes { id name email createdAt } } }";

/// Measures and prints.
pub(crate) async fn run(options: InProcess) -> Result<()> {
    with_cluster(async |_, cluster| {
        let within = Within::open(cluster).await?;
        let user = Uuid::now_v7();
        say(&format!("{CONTACTS} contacts are loaded"));
        within.load(CONTACTS, user, EVERY).await?;
        let schema = gateway::build::<Query, Mutation>(None);
        let model = gateway::model_of(&schema).map_err(anyhow::Error::msg)?;
        let service = Known::new(schema, model, MINE)?;
        let lane = Lane::open(within.addresses.app.as_str(), ListForm::Json).await?;
        println!(
            "the newest 20 of {} own contacts among {CONTACTS}, and how many there are",
            CONTACTS / EVERY
        );
        println!(
            "processor time of process and PostgreSQL in us: median (lowest-highest) of {} rounds\n",
            options.rounds
        );
        measure(options, &within, user, &service, &lane).await
    })
    .await
}

async fn measure(
    options: InProcess,
    within: &Within,
    user: Uuid,
    service: &Known<Query, Mutation>,
    lane: &Lane,
) -> Result<()> {
    let scope = within.scope(user, vec![Role::User], &[Permission::ReadOwnContacts]);
    let organisation = within.organisation;
    let answer: Value = serde_json::from_slice(&service.ask(&scope).await?)?;
    let floor: Value = serde_json::from_str(&lane.mine(organisation, user).await?)?;
    let (ours, theirs) = (seen(answer.pointer("/contacts")), seen(floor.pointer("/data/contacts")));
    ensure!(ours.0 == Some(20) && ours == theirs, "other contacts than by hand: {answer} {floor}");
    beside(
        options,
        within.postmaster,
        async || service.ask(&scope).await.map(drop),
        async || lane.mine(organisation, user).await.map(drop),
    )
    .await
}

/// How many contacts a page says there are, and their ids.
fn seen(page: Option<&Value>) -> (Option<u64>, Vec<&Value>) {
    let total = page.and_then(|page| page.get("totalCount")).and_then(Value::as_u64);
    let nodes = page.and_then(|page| page.get("nodes")).and_then(Value::as_array);
    (total, nodes.into_iter().flatten().filter_map(|node| node.get("id")).collect())
}
