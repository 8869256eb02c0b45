//! Recurring jobs: each runs once for every organisation and date, however many gateways there are.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{sql_query, sql_types as st};
use tenancy::{Failure, SystemDoor};

/// A job that comes back.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The kind of the job, and the schedule's name.
    pub kind: &'static str,
    /// How much time lies between two of them; they are due at multiples of it since 1970, UTC.
    pub every: TimeDelta,
    /// What it is about, for people.
    pub summary: &'static str,
}

/// A schedule that nobody has seen before begins with its next date.
const BEGIN: &str = "INSERT INTO schedules (name, next_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

// The gateway that moves the date on makes the jobs, in the same statement; others find it moved. An
// organisation whose last one still waits gets no second one.
const ENQUEUE: &str = "
    WITH due AS (
        UPDATE schedules SET next_at = $2 WHERE name = $1 AND next_at <= service_now() RETURNING name
    )
    INSERT INTO jobs (organisation_id, kind, payload, summary, unique_key)
    SELECT organisations.id, due.name, '{}', $3, 'scheduled' FROM organisations CROSS JOIN due
    ON CONFLICT (organisation_id, kind, unique_key) DO NOTHING";

impl Schedule {
    /// The first date after this instant.
    fn after(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let every = self.every.num_seconds().max(1);
        let next = now.timestamp().div_euclid(every).saturating_add(1).saturating_mul(every);
        DateTime::from_timestamp(next, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Enqueues its jobs if it is due.
    pub(crate) async fn tick(&self, door: &SystemDoor) -> Result<(), Failure> {
        let next = self.after(door.clock().now());
        let begin = sql_query(BEGIN).bind::<st::Text, _>(self.kind).bind::<st::Timestamptz, _>(next);
        let enqueue = sql_query(ENQUEUE)
            .bind::<st::Text, _>(self.kind)
            .bind::<st::Timestamptz, _>(next)
            .bind::<st::Text, _>(self.summary);
        let ticked = door.write_across(|tx| async move {
            if tx.execute(begin).await? == 0 && tx.execute(enqueue).await? > 0 {
                tx.announce();
            }
            Ok(())
        });
        ticked.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_lie_on_multiples_and_never_in_the_past() {
        let daily = Schedule { kind: "x", every: TimeDelta::days(1), summary: "" };
        let next = |now: &str| daily.after(now.parse().unwrap()).to_rfc3339();
        assert_eq!(next("2026-11-21T11:30:00Z"), "2026-11-22T00:00:00+00:00");
        assert_eq!(next("2026-11-22T00:00:00Z"), "2026-11-23T00:00:00+00:00");
        assert_eq!(next("1969-12-31T23:00:00Z"), "1970-01-01T00:00:00+00:00");
    }
}
