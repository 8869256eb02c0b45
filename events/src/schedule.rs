//! Recurring jobs: each runs once for every organisation and date, however many gateways there are.

use chrono::TimeDelta;
use diesel::{sql_query, sql_types as st};
use tenancy::{Failure, SystemDoor};

use crate::purge;

/// A job that comes back.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The kind of the job, and the schedule's name.
    pub kind: &'static str,
    /// How much time lies between two of them; they are due at multiples of it since 1970, UTC.
    pub every: TimeDelta,
    /// Over how much time the organisations' jobs are spread, so that they do not come all at once.
    pub within: TimeDelta,
    /// What it is about, for people.
    pub summary: &'static str,
}

/// A schedule that nobody has seen before begins with its next date.
const BEGIN: &str = "
    INSERT INTO schedules (name, next_at)
    VALUES ($1, to_timestamp((floor(extract(epoch FROM service_now()) / $2) + 1) * $2))
    ON CONFLICT (name) DO NOTHING";

// The gateway that moves the date on makes the jobs, in the same statement; others find it moved. An
// organisation whose last one still waits gets no second one.
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
    /// Enqueues its jobs if it is due. With the daily purge of each organisation goes what is done
    /// once for all of them.
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
