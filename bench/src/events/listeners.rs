//! Thousands of listeners in one process, and one who publishes.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use chrono::TimeDelta;
use events::{Listener, Received, Topic, Work};
use serde::{Deserialize, Serialize};
use tenancy::Permission;
use tokio_postgres::Client;
use uuid::Uuid;

use super::{
    cost::{Cost, Meter},
    ground::{Ground, failed},
    people::{Size, people},
    tally::Tally,
};
use crate::measure::memory;

/// How many events each listener hears in one batch, unless the organisations are many. A topic keeps
/// 64 for its slow listeners.
const BATCH: u32 = 32;
const FEW: u32 = 8;
/// Longer than a session is believed without asking again.
const FORGOTTEN: TimeDelta = TimeDelta::seconds(31);

/// Who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shape {
    /// All of them in one organisation.
    One,
    /// A few in each of many.
    Many,
}

impl Shape {
    pub(crate) const ALL: [Self; 2] = [Self::One, Self::Many];

    /// As the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::One => "1 x 5000",
            Self::Many => "1000 x 5",
        }
    }

    /// Organisations, and listeners in each.
    pub(crate) fn size(self) -> (u16, u16) {
        match self {
            Self::One => (1, 5000),
            Self::Many => (1000, 5),
        }
    }

    /// All listeners.
    pub(crate) fn listeners(self) -> u32 {
        let (organisations, each) = self.size();
        u32::from(organisations) * u32::from(each)
    }

    /// How many events an organisation gets at once.
    pub(crate) fn batch(self) -> u32 {
        match self {
            Self::One => BATCH,
            Self::Many => FEW,
        }
    }
}

/// What came out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Memory of each listener, in KiB.
    pub(crate) memory_kib: f64,
    /// Each delivery.
    pub(crate) delivery: Cost,
    /// Each delivery when no session is remembered any more. Nothing where none is asked for.
    pub(crate) cold: Option<Cost>,
}

/// Measures the service's listeners.
pub(crate) async fn measure(postmaster: u32, seconds: u64, shape: Shape) -> Result<Outcome> {
    let ground = Ground::open().await?;
    let (organisations, users) = shape.size();
    let size = Size { organisations: organisations.into(), users: users.into() };
    let people = people(&ground.admin, shape.name(), size).await?;
    let events = ground.events(Work::default())?;
    let _background = ground.start(&events, false).await?;
    let tally = Arc::new(Tally::default());
    let publisher = Publisher::new(&ground.admin, people.iter().map(|person| person.organisation).collect());
    // What the first delivery needs is there before the memory is read.
    publisher.publish(1).await?;
    tokio::time::sleep(Duration::from_millis(500)).await;

    let before = memory(std::process::id())?;
    for person in &people {
        let scope = person.scope(&ground.door);
        let listener = events.listen(scope, Permission::ReadContacts, Topic::entity("contact")).await;
        tokio::spawn(hear(listener.map_err(failed)?, Arc::clone(&tally)));
    }
    let all = shape.listeners();
    let once = async {
        tally.want(all);
        publisher.publish(1).await?;
        tally.all().await
    };
    once.await?;
    let memory_kib = (memory(std::process::id())? - before) * 1024.0 / f64::from(all);

    let mut cold = 0;
    let meter = Meter::start(postmaster)?;
    while meter.elapsed() < Duration::from_secs(seconds) {
        ground.clock.advance(FORGOTTEN);
        tally.want(all);
        publisher.publish(1).await?;
        tally.all().await?;
        cold += all;
    }
    let cold = meter.stop(cold)?;

    let mut heard = 0;
    let meter = Meter::start(postmaster)?;
    while meter.elapsed() < Duration::from_secs(seconds) {
        tally.want(all * shape.batch());
        publisher.publish(shape.batch()).await?;
        tally.all().await?;
        heard += all * shape.batch();
    }
    Ok(Outcome { memory_kib, delivery: meter.stop(heard)?, cold: Some(cold) })
}

/// Counts what a listener hears.
async fn hear(mut listener: Listener, tally: Arc<Tally>) {
    while let Ok(Some((_, heard))) = listener.next().await {
        match heard {
            Received::Event(_) => tally.add(),
            Received::Missed(_) => tally.miss(),
        }
    }
    tally.miss();
}

/// Publishes in all organisations by one statement, so that what is measured is not the publishing.
struct Publisher<'a> {
    admin: &'a Client,
    organisations: Vec<Uuid>,
}

const PUBLISH: &str = "
    INSERT INTO events (organisation_id, id, kind, entity, entity_id, details)
    SELECT organisation, gen_random_uuid(), 'contact.updated', 'contact', gen_random_uuid(), '{\"changed\": [\"name\"]}'
    FROM unnest($1::uuid[]) AS organisation, generate_series(1, $2::bigint)";

impl<'a> Publisher<'a> {
    fn new(admin: &'a Client, mut organisations: Vec<Uuid>) -> Self {
        organisations.sort_unstable();
        organisations.dedup();
        Self { admin, organisations }
    }

    async fn publish(&self, each: u32) -> Result<()> {
        self.admin.execute(PUBLISH, &[&self.organisations, &i64::from(each)]).await?;
        Ok(self.admin.batch_execute("NOTIFY tessera_events").await?)
    }
}
