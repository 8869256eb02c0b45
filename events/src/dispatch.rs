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
    /// The kind of the job; its payload is the event as [`crate::StoredEvent`] writes it.
    pub kind: &'static str,
    /// Of which events: `contact.created`, or `contact.*`.
    pub of: &'static str,
}

// One dispatcher at a time, whichever gateway it is in: jobs of one sequence must come in order.
// Who does not get the lock finds nothing; who has it looks again after every announcement. The row
// lock makes a second look at rows that another has dispatched since the snapshot.
const DISPATCH: &str = include_str!("dispatch.sql");

#[derive(QueryableByName)]
struct Dispatched {
    #[diesel(sql_type = st::BigInt)]
    events: i64,
    #[diesel(sql_type = st::BigInt)]
    jobs: i64,
}

/// What to do while somebody else dispatches.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfLocked {
    /// Nothing: they do it all.
    Skip,
    /// Wait, so that everything that was published before is dispatched after this.
    Wait,
}

/// Makes jobs of the events that nobody has dispatched yet, some at a time; answers whether there
/// may be more. Fewer at a time where many are told of each.
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
        // Jobs that another gateway may have free hands for.
        if dispatched.as_ref().is_some_and(|dispatched| dispatched.jobs > 0) {
            tx.announce();
        }
        Ok(dispatched)
    });
    Ok(dispatched.await?.is_some_and(|dispatched| dispatched.events == size))
}
