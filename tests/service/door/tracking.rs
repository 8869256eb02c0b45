//! What the audit records of which column: those that changed, without the values of redacted ones;
//! and nothing at all of untracked ones.

use serde_json::{Value, json};
use tokio_postgres::Client as Connection;
use uuid::Uuid;

use super::own_database;
use crate::harness::{Client, connect};

/// A table that no migration makes.
const LEDGERS: &str = "
    CREATE TABLE ledgers (
        organisation_id uuid NOT NULL DEFAULT (current_setting('app.organisation_id')::uuid),
        id uuid NOT NULL,
        name text NOT NULL,
        layout jsonb NOT NULL DEFAULT '{}',
        balance numeric NOT NULL DEFAULT 0,
        doubled numeric GENERATED ALWAYS AS (balance * 2) STORED,
        created_at timestamptz NOT NULL DEFAULT service_now(),
        updated_at timestamptz NOT NULL DEFAULT service_now(),
        created_by uuid DEFAULT acting_user(),
        revision integer NOT NULL DEFAULT 1,
        deleted_at timestamptz,
        CONSTRAINT ledgers_pkey PRIMARY KEY (organisation_id, id)
    );
    SELECT protect_entity('ledgers', redacted => '{layout}', untracked => '{balance,doubled}', personal => '{name}')";

/// The table in a database of the test's own, one row in it, and a connection of the service's role.
struct Ledger {
    client: Client,
    owner: Connection,
    app: Connection,
    id: Uuid,
}

impl Ledger {
    async fn open(name: &str) -> Self {
        let (addresses, [client, _]) = own_database(name, ["Ada", "Ben"]).await;
        let owner = connect(addresses.owner.as_str()).await;
        owner.batch_execute(LEDGERS).await.unwrap();
        let app = connect(addresses.app.as_str()).await;
        let ledger = Self { client, owner, app, id: Uuid::now_v7() };
        ledger.write(&format!("INSERT INTO ledgers (id, name) VALUES ('{}', 'Ada')", ledger.id)).await;
        ledger
    }

    /// One statement of the service's role, in its organisation.
    async fn write(&self, sql: &str) {
        let organisation = self.client.organisation_id();
        let sql = format!("BEGIN; SET LOCAL app.organisation_id = '{organisation}'; {sql}; COMMIT");
        self.app.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// The row's revision and balance, and whether it was ever touched.
    async fn state(&self) -> String {
        let sql = "SELECT format('%s %s %s', revision, balance, updated_at > created_at) FROM ledgers";
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// What the audit says of the row, oldest first, without the times.
    async fn entries(&self) -> Vec<Value> {
        let sql = format!(
            "SELECT json_build_array(action, before - 'updated_at' - 'created_at', after - 'updated_at' - 'created_at', redacted)::text
             FROM audit_entries WHERE entity_id = '{}' ORDER BY created_at",
            self.id
        );
        let rows = self.owner.query(&sql, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0).parse().unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_is_audited_with_the_columns_that_changed_and_no_others() {
    let ledger = Ledger::open("tracked").await;
    ledger.write("UPDATE ledgers SET name = 'Eve', balance = 5, deleted_at = NULL").await;
    ledger.write("UPDATE ledgers SET name = name").await;
    let inserted = json!({
        "id": ledger.id, "name": "Ada", "balance": 0, "doubled": 0, "created_by": null, "revision": 1, "deleted_at": null,
    });
    let expected = [
        json!(["INSERT", null, inserted, null]),
        json!(["UPDATE", { "name": "Ada", "revision": 1 }, { "name": "Eve", "revision": 2 }, null]),
        json!(["UPDATE", { "revision": 2 }, { "revision": 3 }, null]),
    ];
    assert_eq!(ledger.entries().await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redacted_column_is_named_where_it_changed_and_its_value_is_nowhere() {
    let ledger = Ledger::open("redacted").await;
    ledger.write("UPDATE ledgers SET layout = '{\"shape\": \"unspeakable\"}', name = 'Eve'").await;
    ledger.write("UPDATE ledgers SET layout = layout, name = 'Ada'").await;
    let entries = ledger.entries().await;
    let expected = [
        json!(["UPDATE", { "name": "Ada", "revision": 1 }, { "name": "Eve", "revision": 2 }, ["layout"]]),
        json!(["UPDATE", { "name": "Eve", "revision": 2 }, { "name": "Ada", "revision": 3 }, null]),
    ];
    assert_eq!(entries[1..], expected);
    assert!(!json!(entries).to_string().contains("unspeakable"));
    ledger.owner.batch_execute("DELETE FROM ledgers").await.unwrap();
    let entries = ledger.entries().await;
    let [.., deleted] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(
        (&deleted[0], &deleted[1]["name"], &deleted[2]),
        (&json!("DELETE"), &json!("Ada"), &Value::Null)
    );
    assert!(!deleted.to_string().contains("layout"), "{deleted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_untracked_columns_counts_no_revision_and_writes_no_audit() {
    let ledger = Ledger::open("untracked").await;
    ledger.write("UPDATE ledgers SET balance = balance + 7").await;
    ledger.write("UPDATE ledgers SET balance = balance * 2").await;
    assert_eq!(ledger.state().await, "1 14 f");
    assert_eq!(ledger.entries().await.len(), 1, "the INSERT");
    // Together with another column it is that column's change.
    ledger.write("UPDATE ledgers SET balance = 1, name = 'Eve'").await;
    assert_eq!(ledger.state().await, "2 1 t");
    assert_eq!(ledger.entries().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_nothing_and_counts_no_revision_leaves_no_audit() {
    let ledger = Ledger::open("unchanged").await;
    let count = async || {
        let sql = "SELECT count(*) FROM audit_entries WHERE entity = 'login_sessions' AND action = 'UPDATE'";
        ledger.owner.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    ledger.write("UPDATE login_sessions SET ended_at = ended_at").await;
    assert_eq!(count().await, 0);
    ledger.write("UPDATE login_sessions SET ended_at = now()").await;
    assert_eq!(count().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_does_not_exist_cannot_be_named() {
    let ledger = Ledger::open("unknown_columns").await;
    for kind in ["redacted", "untracked", "personal"] {
        let sql = format!(
            "CREATE TABLE others (LIKE ledgers INCLUDING ALL); SELECT protect_entity('others', {kind} => '{{nothing}}')"
        );
        let error = ledger.owner.batch_execute(&sql).await.expect_err(kind);
        assert_eq!(error.code().unwrap().code(), "42703", "{kind}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mark_of_a_personal_column_goes_where_the_column_goes() {
    let ledger = Ledger::open("personal").await;
    let marked = async || {
        let sql = "SELECT coalesce(string_agg(attname, ' '), '') FROM pg_attribute
                   WHERE attrelid = 'ledgers'::regclass AND col_description(attrelid, attnum) = 'personal'";
        ledger.owner.query_one(sql, &[]).await.unwrap().get::<_, String>(0)
    };
    assert_eq!(marked().await, "name");
    ledger.owner.batch_execute("ALTER TABLE ledgers RENAME name TO title").await.unwrap();
    assert_eq!(marked().await, "title");
    // The triggers' list of columns depends on it.
    ledger.owner.batch_execute("ALTER TABLE ledgers DROP COLUMN title CASCADE").await.unwrap();
    assert_eq!(marked().await, "");
}
