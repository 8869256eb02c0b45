//! What a transaction knows of its request: the clock, the acting user, and the organisation's date.
//! Reads know it as writes do, in the message that begins them.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::{Pacific, Tz};
use diesel::{
    dsl::sql,
    sql_types::{Date, Nullable, Timestamptz, Uuid as SqlUuid},
};
use serde_json::json;
use tenancy::{Addresses, ManualClock, RequestId};
use uuid::Uuid;

use super::{Door, eventually, insert, own_database};
use crate::harness::{self, Client, connect, organisation, postgres, server, uuid};

/// The zones whose days begin first and last: it is never the same date in both.
const ZONES: [Tz; 2] = [Pacific::Kiritimati, Pacific::Niue];

#[tokio::test]
async fn a_read_works_at_the_services_clock() {
    let (client, clock) = (organisation().await, ManualClock::default());
    let door = Door::open_at(&server().addresses, 1, clock.clock()).await;
    let now = diesel::select(sql::<Timestamptz>("service_now()"));
    clock.advance(TimeDelta::days(40));
    let (scope, expected) = (door.scope(&client), Utc::now() + TimeDelta::days(40));
    let in_organisation: Vec<DateTime<Utc>> = scope.rows(now.clone()).await.unwrap();
    let across: Vec<DateTime<Utc>> = door.system.rows(now).await.unwrap();
    for read in [in_organisation[0], across[0]] {
        assert!((read - expected).abs() < TimeDelta::minutes(1), "{read} instead of {expected}");
    }
}

#[tokio::test]
async fn a_read_knows_who_acts_and_a_job_is_nobody() {
    let client = organisation().await;
    let door = Door::open(&server().addresses, 1).await;
    let acting = diesel::select(sql::<Nullable<SqlUuid>>("acting_user()"));
    let user = uuid(client.log_in["user"]["id"].as_str().unwrap());
    let scope = door.scope(&client);
    assert_eq!(scope.rows::<_, Option<Uuid>, _>(acting.clone()).await.unwrap(), [Some(user)]);
    let job = door.system.job_scope(client.organisation_id(), RequestId::new());
    assert_eq!(job.rows::<_, Option<Uuid>, _>(acting).await.unwrap(), [None], "on the same connection");
}

/// The date in this zone, and on the day after: one of them is it, whatever the hour of the test.
fn dates(zone: Tz, offset: TimeDelta) -> [NaiveDate; 2] {
    let date = (Utc::now() + offset).with_timezone(&zone).date_naive();
    [date, date.checked_add_days(Days::new(1)).unwrap()]
}

async fn move_to(addresses: &Addresses, zone: Tz) {
    let owner = connect(addresses.owner.as_str()).await;
    let sql = format!("UPDATE organisations SET time_zone = '{}'", zone.name());
    owner.batch_execute(&sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_told_no_time_zone_finds_the_organisations_date() {
    let (addresses, [client, _]) = own_database("zone_of_jobs", ["Ada", "Ben"]).await;
    let door = Door::open(&addresses, 1).await;
    let job = door.system.job_scope(client.organisation_id(), RequestId::new());
    for zone in ZONES {
        move_to(&addresses, zone).await;
        let before = dates(zone, TimeDelta::zero());
        let today = diesel::select(sql::<Date>("organisation_today()"));
        let read: Vec<NaiveDate> = job.rows(today.clone()).await.unwrap();
        let written: Vec<NaiveDate> = job
            .write(tenancy::Permission::WriteContacts, |tx| async move {
                insert(&tx, "Eve").await?;
                tx.rows(today).await
            })
            .await
            .unwrap();
        assert_eq!(read, written);
        assert!(before.contains(&read[0]), "{zone}: {read:?} {before:?}");
    }
}

/// What a list shows of a contact whose name is not the date of today, or not the reader's own.
const ONLY_TODAYS: &str = "
    CREATE POLICY only_todays ON contacts AS RESTRICTIVE FOR SELECT TO tessera_app
        USING (name = organisation_today()::text AND created_by = acting_user());
    CREATE OR REPLACE FUNCTION stored_time_zone() RETURNS text LANGUAGE sql STABLE RETURN NULL::text";

/// The names of the contacts that a list shows.
async fn listed(client: &Client) -> Vec<NaiveDate> {
    let answer = client.run("{ contacts(first: 50) { nodes { name } } }", json!({})).await;
    let nodes = answer.ok("/data/contacts/nodes").as_array().unwrap().clone();
    nodes.iter().map(|node| node["name"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_reads_at_the_organisations_date_by_the_moved_clock_and_follows_its_time_zone() {
    let addresses = postgres().migrated_database("dates_of_lists").await;
    let clock = ManualClock::default();
    let moved = TimeDelta::days(40);
    clock.advance(moved);
    let client = Client::of(&harness::start(&addresses, &clock).await).signed_up().await;
    for zone in ZONES {
        for date in dates(zone, moved) {
            client.create_contact(json!({ "kind": "COMPANY", "name": date.to_string() })).await;
        }
    }
    // From here on only the time zone that travels with BEGIN can be known.
    connect(addresses.owner.as_str()).await.batch_execute(ONLY_TODAYS).await.unwrap();
    for zone in ZONES {
        move_to(&addresses, zone).await;
        let expected = dates(zone, moved);
        eventually("sessions know the new time zone", async || {
            let listed = listed(&client).await;
            !listed.is_empty() && listed.iter().all(|date| expected.contains(date))
        })
        .await;
    }
}

#[tokio::test]
async fn a_condition_on_the_date_costs_no_function_call() {
    let client = organisation().await;
    let app = connect(server().addresses.app.as_str()).await;
    let begin = format!("BEGIN; SET LOCAL app.organisation_id = '{}'", client.organisation_id());
    app.batch_execute(&begin).await.unwrap();
    let explain = "EXPLAIN (VERBOSE, COSTS OFF) SELECT FROM contacts WHERE birthday < organisation_today() AND created_at < service_now()";
    let plan: Vec<String> = app.query(explain, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(!plan.contains("organisation_today") && !plan.contains("service_now"), "not inlined: {plan}");
}
