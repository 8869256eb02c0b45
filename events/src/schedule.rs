//! Recurring jobs: one for every organisation at each due date, however many gateways run.

use chrono::TimeDelta;
use diesel::{sql_query, sql_types as st};
use tenancy::{Failure, SystemDoor};

use crate::purge;

/// A recurring job.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The kind of the job, and the schedule's name.
    pub kind: &'static str,
    /// The period; jobs are due at its multiples since 1970, UTC.
    pub every: TimeDelta,
    /// The time over which the jobs of all organisations are spread at random.
    pub within: TimeDelta,
    /// A short description, shown with dead letters.
    pub summary: &'static str,
}

/// A new schedule starts at its next due date.
const BEGIN: &str = "
    INSERT INTO schedules (name, next_at)
    VALUES ($1, to_timestamp((floor(extract(epoch FROM service_now()) / $2) + 1) * $2))
    ON CONFLICT (name) DO NOTHING";

// The gateway that advances the due date creates the jobs, in the same statement; other gateways find
// the date advanced. An organisation whose previous job is still queued gets no second one.
const ENQUEUE: &str = "
    WITH due AS (
        UPDATE schedules SET next_at = to_timestamp((floor(extract(epoch FROM service_now()) / $2) + 1) * $2)
        WHERE name = (SELECT name FROM schedules WHERE name = $1 AND next_at <= service_now() FOR UPDATE SKIP LOCKED)
        RETURNING name
    )
    INSERT INTO jobs (organisation_id, kind, payload, summary, unique_key, run_at)
    SELECT organisations.id, due.name, '{}', $3, 'scheduled', service_now() + random() * $4
    FROM organisations CROSS JOIN due
    ON CONFLICT (organisation_id, kind, unique_key) WHERE unique_key IS NOT NULL DO NOTHING";

impl Schedule {
    /// Enqueues the jobs if the schedule is due. With the daily purge of each organisation goes what is
    /// done once for all of them.
    pub(crate) async fn tick(&self, door: &SystemDoor) -> Result<(), Failure> {
        let seconds = self.every.as_seconds_f64();
        let begin = sql_query(BEGIN).bind::<st::Text, _>(self.kind).bind::<st::Double, _>(seconds);
        let enqueue = sql_query(ENQUEUE)
            .bind::<st::Text, _>(self.kind)
            .bind::<st::Double, _>(seconds)
            .bind::<st::Text, _>(self.summary)
            .bind::<st::Interval, _>(self.within);
        let ticked = door.write_across(|tx| async move {
            let is_due = tx.execute(begin).await? == 0 && tx.execute(enqueue).await? > 0;
            if is_due {
                tx.announce();
            }
            Ok(is_due)
        });
        if ticked.await? && self.kind == purge::DAILY.kind {
            purge::keep_audit_partitions(door).await?;
        }
        Ok(())
    }
}
