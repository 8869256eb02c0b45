//! The dispatcher: turns events of the outbox into jobs, one for each subscriber and endpoint.

use diesel::{QueryableByName, sql_query, sql_types as st};
use tenancy::{Failure, Refusal, SystemDoor};

use crate::webhook;

/// How many events are dispatched by one statement.
const BATCH: i64 = 500;
/// The key of the dispatcher's advisory lock: an arbitrary number that no other code uses.
const LOCK: i64 = 0x0074_6573_7365_7262;

/// A subscription inside the service: each matching event becomes a job of this kind. Delivery is at
/// least once; events of one entity arrive in order.
#[derive(Clone, Copy, Debug)]
pub struct Subscriber {
    /// The kind of the job; its payload is a serialised [`crate::StoredEvent`].
    pub kind: &'static str,
    /// The events to match: `contact.created`, or `contact.*`.
    pub of: &'static str,
}

// One dispatcher at a time across all gateways, because jobs of one sequence must be created in
// order. Without the advisory lock the batch is empty; the holder polls after every announcement.
// FOR UPDATE re-checks rows that another dispatcher has marked since the snapshot.
const DISPATCH: &str = include_str!("dispatch.sql");

#[derive(QueryableByName)]
struct Dispatched {
    #[diesel(sql_type = st::BigInt)]
    events: i64,
    #[diesel(sql_type = st::BigInt)]
    jobs: i64,
}

/// What to do while another dispatcher holds the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfLocked {
    /// Return at once: the other dispatcher handles all events.
    Skip,
    /// Wait for the lock, so that every event published before this call is dispatched when it returns.
    Wait,
}

/// Creates the jobs for one batch of undispatched events; returns whether there may be more. Halves
/// the batch after a time-out: an event can have many recipients.
pub(crate) async fn dispatch(
    door: &SystemDoor,
    subscribers: &[Subscriber],
    if_locked: IfLocked,
) -> Result<bool, Failure> {
    let mut size = BATCH;
    loop {
        match dispatch_batch(door, subscribers, if_locked, size).await {
            Err(Failure::Refused(Refusal::Timeout)) if size > 1 => size /= 2,
            outcome => return outcome,
        }
    }
}

async fn dispatch_batch(
    door: &SystemDoor,
    subscribers: &[Subscriber],
    if_locked: IfLocked,
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
        if if_locked == IfLocked::Wait {
            tx.execute(sql_query("SELECT pg_advisory_xact_lock($1)").bind::<st::BigInt, _>(LOCK)).await?;
        }
        let dispatched = tx.row::<_, Dispatched, _>(query).await?;
        // Another gateway may have free slots for these jobs.
        if dispatched.as_ref().is_some_and(|dispatched| dispatched.jobs > 0) {
            tx.announce();
        }
        Ok(dispatched)
    });
    Ok(dispatched.await?.is_some_and(|dispatched| dispatched.events == size))
}
