//! SQL of the queue, run as `tessera_system` across organisations.

use std::time::Duration;

use chrono::TimeDelta;
use diesel::{QueryableByName, sql_query, sql_types as st};
use serde_json::Value;
use tenancy::{Failure, SystemDoor};
use uuid::Uuid;

/// A claimed job.
#[derive(QueryableByName)]
pub(crate) struct Row {
    #[diesel(sql_type = st::Uuid)]
    pub(crate) organisation_id: Uuid,
    #[diesel(sql_type = st::Uuid)]
    pub(crate) id: Uuid,
    #[diesel(sql_type = st::Text)]
    pub(crate) kind: String,
    #[diesel(sql_type = st::Jsonb)]
    pub(crate) payload: Value,
    #[diesel(sql_type = st::Uuid)]
    pub(crate) lease: Uuid,
    #[diesel(sql_type = st::Integer)]
    pub(crate) attempts: i32,
    #[diesel(sql_type = st::Nullable<st::Text>)]
    pub(crate) request_id: Option<String>,
}

/// The jobs to claim.
pub(crate) struct Claim {
    /// The maximum number of jobs.
    pub(crate) count: i64,
    /// The maximum number of running jobs per organisation, including those already running.
    pub(crate) of_each: i64,
    /// The kinds that this gateway has handlers for.
    pub(crate) kinds: Vec<&'static str>,
    /// Restricts the claim to one organisation.
    pub(crate) only: Option<Uuid>,
    /// The number of running jobs by organisation.
    pub(crate) running: Vec<(Uuid, i64)>,
    /// The duration of the lease.
    pub(crate) lease: Duration,
}

// A loose index scan finds the organisations, so that the backlog of one does not hide the jobs of
// another; organisations with fewer running jobs come first. A job waits until all earlier jobs of
// its sequence are gone, whether they are due or not. Rows that another gateway is claiming are
// skipped.
const CLAIM: &str = include_str!("claim.sql");

/// Claims due jobs. Until its lease expires, no other worker claims a returned job.
pub(crate) async fn claim(door: &SystemDoor, claim: Claim) -> Result<Vec<Row>, Failure> {
    let (organisations, counts): (Vec<Uuid>, Vec<i64>) = claim.running.into_iter().unzip();
    let query = sql_query(CLAIM)
        .bind::<st::Nullable<st::Uuid>, _>(claim.only)
        .bind::<st::Array<st::Uuid>, _>(organisations)
        .bind::<st::Array<st::BigInt>, _>(counts)
        .bind::<st::Array<st::Text>, _>(claim.kinds)
        .bind::<st::BigInt, _>(claim.of_each)
        .bind::<st::BigInt, _>(claim.count)
        .bind::<st::Interval, _>(interval(claim.lease));
    door.write_across_planned(|tx| async move { tx.rows(query).await }).await
}

/// Deletes a finished job.
pub(crate) async fn done(door: &SystemDoor, row: &Row) -> Result<(), Failure> {
    let query = sql_query("DELETE FROM jobs WHERE organisation_id = $1 AND id = $2 AND lease = $3")
        .bind::<st::Uuid, _>(row.organisation_id)
        .bind::<st::Uuid, _>(row.id)
        .bind::<st::Uuid, _>(row.lease);
    door.write_across(|tx| async move { tx.execute(query).await.map(drop) }).await
}

// Later jobs of the same sequence are postponed as well: every claim would otherwise check all of
// them in vain. A webhook delivery shows the time of its next attempt.
const POSTPONE: &str = "
    WITH postponed AS (
        UPDATE jobs SET run_at = service_now() + $4, lease = NULL, last_error = $5
        WHERE organisation_id = $1 AND id = $2 AND lease = $3
        RETURNING organisation_id, sequence_key, place, run_at
    ), followers AS (
        UPDATE jobs SET run_at = postponed.run_at FROM postponed
        WHERE jobs.organisation_id = postponed.organisation_id AND jobs.sequence_key = postponed.sequence_key
          AND jobs.place > postponed.place AND jobs.run_at < postponed.run_at
        RETURNING 1
    )
    UPDATE webhook_deliveries SET next_attempt_at = postponed.run_at FROM postponed
    WHERE webhook_deliveries.organisation_id = $1 AND id = $2 AND state = 'PENDING'";

/// Releases a failed job; it is retried after `wait`.
pub(crate) async fn postpone(
    door: &SystemDoor,
    row: &Row,
    error: &str,
    wait: Duration,
) -> Result<(), Failure> {
    let query = sql_query(POSTPONE)
        .bind::<st::Uuid, _>(row.organisation_id)
        .bind::<st::Uuid, _>(row.id)
        .bind::<st::Uuid, _>(row.lease)
        .bind::<st::Interval, _>(interval(wait))
        .bind::<st::Text, _>(error.to_owned());
    door.write_across(|tx| async move { tx.execute(query).await.map(drop) }).await
}

// A job that fails again after a replay updates its dead letter. A webhook delivery has the id of its
// job; it is marked as failed here in case the handler died before it could do so.
const DEAD_LETTER: &str = "
    WITH dead AS (
        DELETE FROM jobs WHERE organisation_id = $1 AND id = $2 AND lease = $3 RETURNING *
    ), delivery AS (
        UPDATE webhook_deliveries SET state = 'FAILED', error = coalesce(error, $4), next_attempt_at = NULL
        FROM dead
        WHERE webhook_deliveries.organisation_id = dead.organisation_id AND webhook_deliveries.id = dead.id
          AND state = 'PENDING'
        RETURNING 1
    )
    INSERT INTO dead_letters (organisation_id, id, kind, payload, summary, sequence_key, place, attempts,
                              last_error, enqueued_at)
    SELECT organisation_id, id, kind, payload, summary, sequence_key, place, attempts, $4, created_at FROM dead
    ON CONFLICT (organisation_id, id) DO UPDATE
    SET attempts = dead_letters.attempts + excluded.attempts, last_error = excluded.last_error,
        payload = excluded.payload, created_at = excluded.created_at, state = 'WAITING', settled_at = NULL";

/// Turns a failed job into a dead letter.
pub(crate) async fn dead_letter(door: &SystemDoor, row: &Row, error: &str) -> Result<(), Failure> {
    let query = sql_query(DEAD_LETTER)
        .bind::<st::Uuid, _>(row.organisation_id)
        .bind::<st::Uuid, _>(row.id)
        .bind::<st::Uuid, _>(row.lease)
        .bind::<st::Text, _>(error.to_owned());
    door.write_across(|tx| async move { tx.execute(query).await.map(drop) }).await
}

fn interval(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
