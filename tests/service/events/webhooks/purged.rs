//! Finished deliveries are purged after the retention period; pending ones are kept.

use super::*;
use crate::door::eventually;

#[tokio::test]
async fn after_thirty_days_goes_what_was_delivered_and_stays_what_was_not() {
    let (mut hooks, receiver) = (Hooks::own("purged").await, Receiver::open().await);
    let endpoint = hooks.endpoint(&receiver.url("/"), &["contact.*"]).await;
    receiver.answers(|request| Reply::status(if request.kind() == "contact.deleted" { 500 } else { 200 }));
    let old = hooks.contact("Old").await;
    hooks.contact_is("delete", &old, json!({})).await;
    hooks.drain().await;
    assert_eq!(hooks.states(&endpoint).await, ["contact.created DELIVERED", "contact.deleted PENDING"]);
    // The next attempt is far in the future.
    superuser(&hooks.database).await.batch_execute("UPDATE jobs SET run_at = 'infinity'").await.unwrap();
    let background = hooks.own.as_ref().unwrap().start();
    let scheduled = async || !hooks.sql("SELECT 1 FROM schedules WHERE name = 'purge'").await.is_empty();
    eventually("the sweep is scheduled", scheduled).await;

    let kinds = "SELECT kind FROM events WHERE entity = 'contact' ORDER BY position";
    hooks.later(TimeDelta::days(29)).await;
    // That a purge keeps a row cannot be waited for, so the test waits for the job.
    let swept =
        |day: &'static str| format!("SELECT 1 FROM schedules WHERE next_at > now() + interval '{day}'");
    let is_over = async |hooks: &Hooks, day| {
        eventually("the day's sweep is over", async || {
            let made = !hooks.sql(&swept(day)).await.is_empty();
            // It is due some time within the hour; the test makes it due now.
            let now =
                "UPDATE jobs SET run_at = '-infinity' WHERE kind = 'purge' AND lease IS NULL RETURNING kind";
            hooks.sql(now).await;
            made && hooks.sql("SELECT 1 FROM jobs WHERE kind = 'purge'").await.is_empty()
        })
        .await;
    };
    is_over(&hooks, "29 days").await;
    assert_eq!(hooks.sql(kinds).await, ["contact.created", "contact.deleted"], "29 days are not 30");
    let young = hooks.contact("Young").await;
    hooks.drain().await;
    hooks.later(TimeDelta::days(2)).await;
    is_over(&hooks, "31 days").await;
    assert_eq!(hooks.states(&endpoint).await, ["contact.created DELIVERED", "contact.deleted PENDING"]);
    let about = "SELECT kind || ' ' || entity_id FROM events WHERE entity = 'contact' ORDER BY position";
    let [old, young] = [&old, &young].map(|contact| uuid(contact["id"].as_str().unwrap()));
    let expected = [format!("contact.deleted {old}"), format!("contact.created {young}")];
    assert_eq!(hooks.sql(about).await, expected);
    assert!(hooks.sql("SELECT 1 FROM events WHERE kind = 'webhook_endpoint.created'").await.is_empty());
    drop(background);
    // A delivery that waited for a month can still be delivered.
    receiver.says(&Reply::status(200));
    receiver.taken();
    superuser(&hooks.database).await.batch_execute("UPDATE jobs SET run_at = now()").await.unwrap();
    hooks.drain().await;
    assert_eq!(receiver.kinds(), ["contact.deleted"]);
}

#[tokio::test]
async fn the_daily_sweep_keeps_permanent_keys_and_looks_after_the_months_of_the_audit() {
    let mut hooks = Hooks::own("swept").await;
    let behind = superuser(&hooks.database).await;
    let keys = format!(
        "INSERT INTO idempotency_keys (organisation_id, actor_id, operation, key, body_hash, permanent)
         SELECT '{}', gen_random_uuid(), 'pay', permanent::text, '', permanent FROM unnest('{{t,f}}'::boolean[]) permanent",
        hooks.client.organisation_id()
    );
    behind.batch_execute(&keys).await.unwrap();
    let months = "SELECT count(*)::text FROM pg_inherits WHERE inhparent = 'audit_entries'::regclass";
    let all = hooks.sql(months).await;
    let drop = "SELECT make_month_partition('audit_entries', '2001-01-01');
                DO $$ BEGIN EXECUTE format('DROP TABLE audit_entries_%s', to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')); END $$";
    behind.batch_execute(drop).await.unwrap();
    let _background = hooks.own.as_ref().unwrap().start();
    let scheduled = async || !hooks.sql("SELECT 1 FROM schedules WHERE name = 'purge'").await.is_empty();
    eventually("the sweep is scheduled", scheduled).await;
    hooks.later(TimeDelta::days(31)).await;
    eventually("the organisation's rows are swept", async || {
        let now =
            "UPDATE jobs SET run_at = '-infinity' WHERE kind = 'purge' AND lease IS NULL RETURNING kind";
        hooks.sql(now).await;
        hooks.sql("SELECT key FROM idempotency_keys WHERE operation = 'pay'").await == ["true"]
    })
    .await;
    let outdated = "SELECT 1 FROM pg_class WHERE relname = 'audit_entries_2001_01'";
    let is_tidy = async || hooks.sql(months).await == all && hooks.sql(outdated).await.is_empty();
    eventually("the audit has its months", is_tidy).await;
    // Those of the clock's own month went to the default partition, and their month has none yet.
    let entries = "SELECT count(*)::text FROM audit_entries_default WHERE created_at < now()";
    assert_eq!(hooks.sql(entries).await, ["0"]);
}
