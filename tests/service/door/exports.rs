//! An export asks for a session before each chunk.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::value;
use domain_crm::Contact;
use futures_util::TryStreamExt;
use listing::Export;
use tenancy::{Permission, Refusal};

use super::*;
use crate::harness::superuser;

/// More rows than the first chunk has.
const CONTACTS: i32 = 100;

/// Organisation A with many contacts of which the user made the last three, and its user's client.
async fn filled(name: &str) -> (Door, Client) {
    let (addresses, [client, _]) = own_database(name, ["A", "B"]).await;
    let superuser = superuser(addresses.database()).await;
    let insert = "INSERT INTO contacts (organisation_id, id, kind, name, created_by)
        SELECT $1::text::uuid, gen_random_uuid(), 'COMPANY', to_char(number, 'FM00000'), CASE WHEN number > $3 - 3 THEN $2::text::uuid END
        FROM generate_series(1, $3) AS number";
    let (organisation, user) = (client.organisation_id().to_string(), client.user_id().to_string());
    superuser.execute(insert, &[&organisation, &user, &CONTACTS]).await.unwrap();
    (Door::open(&addresses, 2).await, client)
}

/// The chunks of an export whose first session sees all, and each later one what `later` gives.
async fn chunks(
    door: Door,
    client: Client,
    later: fn(&Door, &Client) -> Result<Scope, Failure>,
) -> Vec<String> {
    let export = Export {
        columns: Some(vec!["name".to_owned()]),
        order_by: Some(value!({"name": "ASC"})),
        ..Export::default()
    };
    let asked = AtomicUsize::new(0);
    let scopes = move || {
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        std::future::ready(if first { Ok(door.scope(&client)) } else { later(&door, &client) })
    };
    let rows = listing::entity::<Contact>().export(export, scopes);
    let chunks = rows.map_ok(|lines| String::from_utf8(lines).unwrap());
    chunks
        .or_else(|failure| std::future::ready(Ok::<_, Failure>(format!("{failure:?}"))))
        .try_collect()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sees_less_midway_is_shown_no_more_of_it() {
    let (door, client) = filled("export_sight").await;
    let chunks = chunks(door, client, |door, client| {
        let grant = Grant { permission: Permission::ReadOwnContacts, until: None };
        Ok(door.scope_of(client.organisation_id(), client.user_id(), vec![Role::User], vec![grant]))
    });
    let chunks = chunks.await;
    assert_eq!(chunks.len(), 2);
    assert_eq!(chunks[0].lines().count(), 51);
    assert_eq!(chunks[1], "00098\n00099\n00100\nA\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_midway_ends_the_export() {
    let (door, client) = filled("export_ended").await;
    let chunks = chunks(door, client, |_, _| Err(Refusal::Unauthenticated.into())).await;
    assert_eq!(chunks.len(), 2);
    assert_eq!(chunks[1], format!("{:?}", Failure::from(Refusal::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_lost_midway_ends_the_export() {
    let (door, client) = filled("export_lost").await;
    let chunks = chunks(door, client, |door, client| {
        Ok(door.scope_of(client.organisation_id(), client.user_id(), vec![Role::User], vec![]))
    });
    assert_eq!(chunks.await[1], format!("{:?}", Failure::from(Refusal::Forbidden)));
}
