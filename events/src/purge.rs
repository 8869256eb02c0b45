//! The daily purge of rows with a retention period.

use chrono::TimeDelta;
use diesel::{sql_query, sql_types as st};
use tenancy::{Failure, Permission, SystemDoor};

use crate::{ClaimedJob, JobError, Schedule};

/// The retention period.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How many rows one statement deletes at most, so that none runs for long.
const BATCH: i64 = 5_000;

/// Purges each organisation once a day.
pub(crate) const DAILY: Schedule = Schedule {
    kind: "purge",
    every: TimeDelta::days(1),
    within: TimeDelta::hours(1),
    summary: "what is kept only for a while",
};

// Undelivered events stay, whatever their age.
const STATEMENTS: [&str; 5] = [
    "DELETE FROM webhook_deliveries WHERE (organisation_id, id) IN (
         SELECT organisation_id, id FROM webhook_deliveries
         WHERE created_at < service_now() - $1 AND state <> 'PENDING' LIMIT $2)
       AND state <> 'PENDING'",
    "DELETE FROM events WHERE (organisation_id, id) IN (
         SELECT organisation_id, id FROM events
         WHERE created_at < service_now() - $1 AND dispatched
           AND NOT EXISTS (SELECT FROM webhook_deliveries delivery
                           WHERE delivery.event_id = events.id) LIMIT $2)",
    "DELETE FROM idempotency_keys WHERE (organisation_id, actor_id, operation, key) IN (
         SELECT organisation_id, actor_id, operation, key FROM idempotency_keys
         WHERE created_at < service_now() - $1 AND NOT permanent LIMIT $2)",
    "DELETE FROM dead_letters WHERE (organisation_id, id) IN (
         SELECT organisation_id, id FROM dead_letters
         WHERE settled_at < service_now() - $1 LIMIT $2)
       AND settled_at < service_now() - $1",
    "DELETE FROM mailed_tokens WHERE (organisation_id, id) IN (
         SELECT organisation_id, id FROM mailed_tokens
         WHERE expires_at < service_now() - $1 LIMIT $2)",
];

/// Makes the audit's partitions of the coming months and drops those past their retention: once a
/// day for all organisations.
///
/// # Errors
/// PostgreSQL refuses, as when a long transaction keeps the audit locked. Nothing is lost then: the
/// next day tries again, and meanwhile the default partition takes what has no other.
pub(crate) async fn keep_audit_partitions(door: &SystemDoor) -> Result<(), Failure> {
    let keep = sql_query("SELECT keep_audit_partitions()");
    door.write_across(|tx| async move { tx.execute(keep).await.map(drop) }).await
}

/// Purges the job's organisation.
pub(crate) async fn purge(job: ClaimedJob) -> Result<(), JobError> {
    for statement in STATEMENTS {
        let mut purged = BATCH;
        while purged == BATCH {
            let delete = sql_query(statement).bind::<st::Interval, _>(KEPT).bind::<st::BigInt, _>(BATCH);
            let deleted =
                job.scope.write(Permission::WriteDeadLetters, |tx| async move { tx.execute(delete).await });
            let count = deleted.await?;
            purged = i64::try_from(count).unwrap_or_default();
        }
    }
    Ok(())
}
