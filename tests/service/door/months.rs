//! The audit's partitions: no write fails for lack of one, and old ones are dropped.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;
use tenancy::Addresses;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client as Connection;

use super::own_database;
use crate::harness::{Client, connect};

const KEEP: &str = "SELECT keep_audit_partitions()";

/// A database of a test's own, whose audit has no partition but the default one.
async fn without_months(name: &str) -> (Addresses, Client, Connection) {
    let (addresses, [client, _]) = own_database(name, ["Ada", "Ben"]).await;
    let owner = connect(addresses.owner.as_str()).await;
    let drop = "DO $$ DECLARE month regclass; BEGIN
                    FOR month IN SELECT inhrelid FROM pg_inherits
                                 WHERE inhparent = 'audit_entries'::regclass AND inhrelid <> 'audit_entries_default'::regclass
                    LOOP EXECUTE format('DROP TABLE %s', month); END LOOP;
                END $$";
    owner.batch_execute(drop).await.unwrap();
    (addresses, client, owner)
}

/// How many entries are in which partition.
async fn entries(owner: &Connection) -> Vec<String> {
    let sql = "SELECT tableoid::regclass || ' ' || count(*) FROM audit_entries GROUP BY tableoid ORDER BY 1";
    owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The names of the partitions, without what they all begin with.
async fn partitions(owner: &Connection) -> Vec<String> {
    let sql = "SELECT replace(inhrelid::regclass::text, 'audit_entries_', '') FROM pg_inherits
               WHERE inhparent = 'audit_entries'::regclass ORDER BY 1";
    owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// The month that begins so many months from now, as partitions name it.
async fn month(owner: &Connection, offset: i32) -> String {
    let sql = "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => $1), 'YYYY_MM')";
    owner.query_one(sql, &[&offset]).await.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_without_its_months_partition_is_audited_and_moves_there_later() {
    let (addresses, client, owner) = without_months("audit_late").await;
    client.create_contact(json!({ "kind": "COMPANY", "name": "Late" })).await;
    assert_eq!(entries(&owner).await, ["audit_entries_default 1"]);
    let system = connect(addresses.system.as_str()).await;
    system.batch_execute(KEEP).await.unwrap();
    let this_month = month(&owner, 0).await;
    assert_eq!(entries(&owner).await, [format!("audit_entries_{this_month} 1")]);
    let mut expected = vec![];
    for offset in 0..=3 {
        expected.push(month(&owner, offset).await);
    }
    expected.push("default".to_owned());
    assert_eq!(partitions(&owner).await, expected);
    client.create_contact(json!({ "kind": "COMPANY", "name": "Later" })).await;
    system.batch_execute(KEEP).await.unwrap();
    assert_eq!(entries(&owner).await, [format!("audit_entries_{this_month} 2")]);
    // As the tables are after it, a gateway may start.
    super::Door::open(&addresses, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writes_go_on_while_their_month_gets_its_partition() {
    let (addresses, client, owner) = without_months("audit_meanwhile").await;
    let organisation = client.organisation_id();
    let writer = async || {
        let app = connect(addresses.app.as_str()).await;
        let update = format!(
            "BEGIN; SET LOCAL app.organisation_id = '{organisation}'; UPDATE contacts SET notes = gen_random_uuid()::text; COMMIT"
        );
        for _ in 0..100 {
            app.batch_execute(&update).await.unwrap();
        }
    };
    let keeper = async || {
        let system = connect(addresses.system.as_str()).await;
        for _ in 0..5 {
            sleep(Duration::from_millis(30)).await;
            system.batch_execute(KEEP).await.unwrap();
        }
    };
    join(join_all((0..4).map(|_| writer())), keeper()).await;
    assert_eq!(entries(&owner).await, [format!("audit_entries_{} 400", month(&owner, 0).await)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_go_with_their_month_after_two_years() {
    let (addresses, client, owner) = without_months("audit_retention").await;
    let [kept, outdated] = [month(&owner, -24).await, month(&owner, -25).await];
    let age = |months: u32| {
        format!(
            "INSERT INTO audit_entries (organisation_id, entity, entity_id, action, created_at)
             VALUES ('{}', 'things', gen_random_uuid(), 'INSERT', now() - interval '{months} months')",
            client.organisation_id()
        )
    };
    let make = "SELECT make_month_partition('audit_entries', (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '25 months')::date)";
    for sql in [make, &age(25), &age(24), &age(40)] {
        owner.batch_execute(sql).await.unwrap();
    }
    assert_eq!(
        entries(&owner).await,
        [format!("audit_entries_{outdated} 1"), "audit_entries_default 2".to_owned()]
    );
    // The caller cannot have anything dropped early: the machine's clock counts.
    let system = connect(addresses.system.as_str()).await;
    system.batch_execute(&format!("BEGIN; SET LOCAL app.now = '2999-01-01'; {KEEP}; COMMIT")).await.unwrap();
    assert_eq!(entries(&owner).await, [format!("audit_entries_{kept} 1")]);
    assert!(!partitions(&owner).await.contains(&outdated));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_that_is_being_read_holds_up_writers_for_a_moment_only() {
    let (addresses, client, owner) = without_months("audit_locked").await;
    let make = "SELECT make_month_partition('audit_entries', '2001-01-01')";
    owner.batch_execute(make).await.unwrap();
    let reader = connect(addresses.owner.as_str()).await;
    reader.batch_execute("BEGIN; SELECT FROM audit_entries").await.unwrap();
    let system = connect(addresses.system.as_str()).await;
    let kept = system.batch_execute(KEEP);
    let write = async {
        sleep(Duration::from_millis(100)).await;
        client.create_contact(json!({ "kind": "COMPANY", "name": "Meanwhile" })).await
    };
    let both = timeout(Duration::from_secs(10), join(kept, write)).await;
    let (kept, _) = both.expect("neither waits for the reader");
    assert_eq!(kept.unwrap_err().code().unwrap().code(), "55P03", "lock_not_available");
    reader.batch_execute("COMMIT").await.unwrap();
    system.batch_execute(KEEP).await.unwrap();
    assert!(!partitions(&owner).await.contains(&"2001_01".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_role_of_the_service_reaches_a_month_without_the_audit() {
    let (addresses, [client, _]) = own_database("audit_direct", ["Ada", "Ben"]).await;
    let owner = connect(addresses.owner.as_str()).await;
    let begin = format!("BEGIN; SET LOCAL app.organisation_id = '{}'", client.organisation_id());
    for partition in partitions(&owner).await {
        let partition = format!("audit_entries_{partition}");
        for url in [&addresses.app, &addresses.system] {
            let connection = connect(url.as_str()).await;
            for sql in [
                format!("SELECT FROM {partition}"),
                format!(
                    "INSERT INTO {partition} (entity, entity_id, action) VALUES ('x', gen_random_uuid(), 'INSERT')"
                ),
                format!("UPDATE {partition} SET user_id = NULL"),
                format!("DELETE FROM {partition}"),
                format!("TRUNCATE {partition}"),
                format!("ALTER TABLE audit_entries DETACH PARTITION {partition}"),
                "SELECT make_month_partition('audit_entries', '2001-01-01')".to_owned(),
            ] {
                connection.batch_execute(&begin).await.unwrap();
                let error = connection.batch_execute(&sql).await.expect_err(&sql);
                assert_eq!(error.code().unwrap().code(), "42501", "{sql}: {error:?}");
                connection.batch_execute("ROLLBACK").await.unwrap();
            }
        }
    }
}
