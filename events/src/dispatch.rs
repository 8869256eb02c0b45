//! From the outbox to the queue: one job for each who wants to be told of an event.

use diesel::{QueryableByName, sql_query, sql_types as st};
use tenancy::{Failure, Refusal, SystemDoor};

use crate::webhook;

/// How many events are dispatched by one statement.
const BATCH: i64 = 500;
/// Any number, as long as nobody else locks it.
const LOCK: i64 = 0x0074_6573_7365_7262;

/// A part of the service that is told of events, each at least once and those of one entity in
/// order, by a job of this kind.
#[derive(Clone, Copy, Debug)]
pub struct Subscriber {
    /// The kind of the job; its payload is the event as [`crate::Happened`] writes it.
    pub kind: &'static str,
    /// Of which events: `contact.created`, or `contact.*`.
    pub of: &'static str,
}

// One dispatcher at a time, whichever gateway it is in: jobs of one sequence must come in order.
// Who does not get the lock finds nothing; who has it looks again after every announcement. The row
// lock makes a second look at rows that another has dispatched since the snapshot.
const DISPATCH: &str = "
    WITH batch AS (
        SELECT organisation_id, id, position, kind, entity, entity_id, details, user_id, request_id, created_at
        FROM events
        WHERE NOT dispatched AND (SELECT pg_try_advisory_xact_lock($1))
        ORDER BY position LIMIT $2 FOR UPDATE
    ), deliveries AS (
        INSERT INTO webhook_deliveries (organisation_id, endpoint_id, event_id, event_kind, created_at)
        SELECT batch.organisation_id, endpoint.id, batch.id, batch.kind, batch.created_at
        FROM batch JOIN webhook_endpoints endpoint USING (organisation_id)
        WHERE endpoint.active AND endpoint.deleted_at IS NULL
          AND CASE WHEN batch.kind = 'webhook_endpoint.pinged' THEN endpoint.id = batch.entity_id
              ELSE endpoint.event_kinds && ARRAY['*', batch.kind, batch.entity || '.*'] END
        RETURNING organisation_id, id, endpoint_id, event_id
    ), hooked AS (
        INSERT INTO jobs (organisation_id, id, kind, payload, summary, sequence_key, place, request_id, run_at)
        SELECT organisation_id, deliveries.id, $3, jsonb_build_object('deliveryId', deliveries.id),
               batch.kind || ' for a webhook', deliveries.endpoint_id || ' ' || batch.entity_id, batch.position,
               batch.request_id,
               greatest(batch.created_at, (
                   SELECT run_at FROM jobs head
                   WHERE head.organisation_id = batch.organisation_id AND head.lease IS NULL
                     AND head.sequence_key = deliveries.endpoint_id || ' ' || batch.entity_id
                   ORDER BY place LIMIT 1))
        FROM deliveries JOIN batch USING (organisation_id) WHERE batch.id = deliveries.event_id
        RETURNING 1
    ), told AS (
        INSERT INTO jobs (organisation_id, kind, payload, summary, sequence_key, place, request_id, run_at)
        SELECT organisation_id, subscriber.kind,
               jsonb_build_object('id', batch.id, 'kind', batch.kind, 'entity', entity, 'entityId', entity_id,
                                  'details', details, 'userId', user_id, 'createdAt', created_at),
               batch.kind || ' for ' || subscriber.kind, subscriber.kind || ' ' || entity_id, position, request_id,
               created_at
        FROM batch CROSS JOIN LATERAL (
            SELECT DISTINCT subscribed.kind FROM unnest($4::text[], $5::text[]) AS subscribed (kind, pattern)
            WHERE subscribed.pattern IN (batch.kind, batch.entity || '.*')
        ) AS subscriber
        RETURNING 1
    ), marked AS (
        UPDATE events SET dispatched = true FROM batch
        WHERE events.organisation_id = batch.organisation_id AND events.id = batch.id
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM marked) AS events,
           (SELECT count(*) FROM hooked) + (SELECT count(*) FROM told) AS jobs";

#[derive(QueryableByName)]
struct Dispatched {
    #[diesel(sql_type = st::BigInt)]
    events: i64,
    #[diesel(sql_type = st::BigInt)]
    jobs: i64,
}

/// What to do while somebody else dispatches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing: they do it all.
    LeftToOthers,
    /// Wait, so that everything that was published before is dispatched after this.
    Awaited,
}

/// Makes jobs of the events that nobody has dispatched yet, some at a time; answers whether there
/// may be more. Fewer at a time where many are told of each.
pub(crate) async fn dispatch(
    door: &SystemDoor,
    subscribers: &[Subscriber],
    turn: Turn,
) -> Result<bool, Failure> {
    let mut size = BATCH;
    loop {
        match dispatch_batch(door, subscribers, turn, size).await {
            Err(Failure::Refused(Refusal::Timeout)) if size > 1 => size /= 2,
            outcome => return outcome,
        }
    }
}

async fn dispatch_batch(
    door: &SystemDoor,
    subscribers: &[Subscriber],
    turn: Turn,
    size: i64,
) -> Result<bool, Failure> {
    let kinds: Vec<&str> = subscribers.iter().map(|subscriber| subscriber.kind).collect();
    let patterns: Vec<&str> = subscribers.iter().map(|subscriber| subscriber.of).collect();
    let query = sql_query(DISPATCH)
        .bind::<st::BigInt, _>(LOCK)
        .bind::<st::BigInt, _>(size)
        .bind::<st::Text, _>(webhook::DELIVER)
        .bind::<st::Array<st::Text>, _>(kinds)
        .bind::<st::Array<st::Text>, _>(patterns);
    let dispatched = door.write_across_planned(|tx| async move {
        if turn == Turn::Awaited {
            tx.execute(sql_query("SELECT pg_advisory_xact_lock($1)").bind::<st::BigInt, _>(LOCK)).await?;
        }
        let dispatched = tx.row::<_, Dispatched, _>(query).await?;
        // Jobs that another gateway may have free hands for.
        if dispatched.as_ref().is_some_and(|dispatched| dispatched.jobs > 0) {
            tx.announce();
        }
        Ok(dispatched)
    });
    Ok(dispatched.await?.is_some_and(|dispatched| dispatched.events == size))
}
