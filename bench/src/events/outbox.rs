//! From events to jobs that are done, by the service's own means.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use events::{Handlers, Subscriber, Work};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenancy::{Event, Permission, RequestId, SystemDoor};
use tokio::task::JoinSet;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    cost::{Cost, Meter},
    ground::{Ground, failed},
    people::{Size, people},
    tally::Tally,
};

/// The job that follows from each event, also in pgbench's statements.
const KIND: &str = "bench";
/// Whose events they are.
const SIZE: Size = Size { organisations: 16, users: 1 };
/// How many publish at the same time.
pub(crate) const WRITERS: u32 = 16;

/// What came out, for each event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Publishing it, in a transaction of its own.
    pub(crate) publish: Cost,
    /// Making a job of it, claiming the job, doing nothing, and deleting it.
    pub(crate) work: Cost,
    /// How many transactions that took, of those that change something.
    pub(crate) transactions: f64,
}

/// Measures it.
pub(crate) async fn measure(postmaster: u32, events: u32) -> Result<Outcome> {
    let ground = Ground::open().await?;
    let organisations = organisations(&ground.admin).await?;
    let meter = Meter::start(postmaster)?;
    publish(&ground.door, organisations, events / WRITERS).await?;
    let count = events / WRITERS * WRITERS;
    let publish = meter.stop(count)?;
    ground.admin.batch_execute("VACUUM ANALYZE events").await?;

    let tally = Arc::new(Tally::default());
    tally.want(count);
    let done = Arc::clone(&tally);
    let handlers = Handlers::default().with(KIND, move |_| {
        done.add();
        async { Ok(()) }
    });
    let subscribers = vec![Subscriber { kind: KIND, of: "contact.*" }];
    let service = ground.events(Work { handlers, subscribers, schedules: vec![] })?;
    let before = transactions(&ground.admin).await?;
    let meter = Meter::start(postmaster)?;
    let background = ground.start(&service, true).await?;
    tally.all().await?;
    while left(&ground.admin).await? > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let work = meter.stop(count)?;
    drop(background);
    let transactions =
        f64::from(transactions(&ground.admin).await?.saturating_sub(before)) / f64::from(count);
    Ok(Outcome { publish, work, transactions })
}

pub(crate) async fn organisations(admin: &Client) -> Result<Vec<Uuid>> {
    Ok(people(admin, "outbox", SIZE).await?.iter().map(|person| person.organisation).collect())
}

/// Publishes so many times, organisation by organisation, each time in a transaction.
async fn publish(door: &SystemDoor, organisations: Vec<Uuid>, each: u32) -> Result<()> {
    let organisations: Arc<[Uuid]> = organisations.into();
    let next = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..WRITERS {
        let (organisations, next, door) = (Arc::clone(&organisations), Arc::clone(&next), door.clone());
        tasks.spawn(async move {
            for _ in 0..each {
                let turn = usize::try_from(next.fetch_add(1, Ordering::Relaxed))?;
                let organisation = organisations.get(turn % organisations.len().max(1)).copied();
                let scope = door.job_scope(organisation.unwrap_or_default(), RequestId::new());
                let published = scope.write(Permission::WriteContacts, |tx| async move {
                    tx.publish(Event::new("contact", "created", Uuid::now_v7(), json!({})));
                    Ok(())
                });
                published.await.map_err(failed)?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// How many events or jobs are not done.
pub(crate) async fn left(admin: &Client) -> Result<i64> {
    let left = "SELECT (SELECT count(*) FROM events WHERE NOT dispatched) + (SELECT count(*) FROM jobs)";
    Ok(admin.query_one(left, &[]).await?.try_get(0)?)
}

/// How many transactions have changed something so far; asking is one of them.
async fn transactions(admin: &Client) -> Result<u32> {
    let next = "SELECT pg_current_xact_id()::text::bigint";
    let next: i64 = admin.query_one(next, &[]).await?.try_get(0)?;
    Ok(u32::try_from(next)?)
}
