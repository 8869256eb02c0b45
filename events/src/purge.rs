//! What is kept only for a while, and swept away every day.

use chrono::TimeDelta;
use diesel::{sql_query, sql_types as st};
use tenancy::SystemDoor;

use crate::{Claimed, Schedule, Trouble};

/// How long events and deliveries are kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How many rows go at once, so that no statement takes long.
const BATCH: i64 = 5_000;

/// Sweeps each organisation every day.
pub(crate) const DAILY: Schedule =
    Schedule { kind: "purge", every: TimeDelta::days(1), summary: "what is kept only for a while" };

// Nothing that still has to be delivered goes, however old it is. Keys of mutations are forgotten
// after a day (tenancy's idempotency).
const STATEMENTS: [&str; 3] = [
    "DELETE FROM webhook_deliveries WHERE (organisation_id, id) IN (
         SELECT organisation_id, id FROM webhook_deliveries
         WHERE organisation_id = $1 AND created_at < service_now() - $2 AND state <> 'PENDING' LIMIT $3)",
    "DELETE FROM events WHERE (organisation_id, id) IN (
         SELECT organisation_id, id FROM events
         WHERE organisation_id = $1 AND created_at < service_now() - $2 AND dispatched
           AND NOT EXISTS (SELECT FROM webhook_deliveries delivery
                           WHERE delivery.organisation_id = $1 AND delivery.event_id = events.id) LIMIT $3)",
    "DELETE FROM idempotency_keys WHERE (organisation_id, actor_id, operation, key) IN (
         SELECT organisation_id, actor_id, operation, key FROM idempotency_keys
         WHERE organisation_id = $1 AND created_at < service_now() - $2 LIMIT $3)",
];

/// Sweeps the job's organisation.
pub(crate) async fn purge(door: SystemDoor, job: Claimed) -> Result<(), Trouble> {
    let organisation_id = job.scope.session().organisation_id().map_err(tenancy::Failure::from)?;
    for statement in STATEMENTS {
        let mut purged = BATCH;
        while purged == BATCH {
            let delete = sql_query(statement)
                .bind::<st::Uuid, _>(organisation_id)
                .bind::<st::Interval, _>(KEPT)
                .bind::<st::BigInt, _>(BATCH);
            let count = door.write_across(|tx| async move { tx.execute(delete).await }).await?;
            purged = i64::try_from(count).unwrap_or_default();
        }
    }
    Ok(())
}
