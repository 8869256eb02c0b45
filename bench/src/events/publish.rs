//! A bare write of a contact, with and without the event that says so: through the service's own
//! door to the database, and by hand, as the floor does it. All take turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use diesel::{sql_query, sql_types as st};
use events::Work;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenancy::{Event, Permission, Scope};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    cost::{Cost, Meter},
    ground::{Ground, failed, forget},
    people::{Person, Size, people},
};
use crate::{
    case::company_name,
    floor::{Lane, ListForm, NewContact},
    reach::{self, Reach},
};

/// How many write at the same time: as many as the load of the other cases.
const WRITERS: usize = 16;
const WARM_UP: Duration = Duration::from_millis(500);
const SIZE: Size = Size { organisations: 100, users: 1 };

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Side {
    /// The service's write, and nothing said of it.
    Silent,
    /// The same, published.
    Published,
    /// The same, with what every gateway does next: it announces and reads what is new.
    Read,
    /// The same, with what one gateway does after that: it dispatches.
    Followed,
    /// The same statement by hand.
    FloorSilent,
    /// The same by hand, with a plain insert of the event.
    FloorPublished,
}

impl Side {
    pub(crate) const ALL: [Self; 6] =
        [Self::Silent, Self::Published, Self::Read, Self::Followed, Self::FloorSilent, Self::FloorPublished];

    fn publishes(self) -> bool {
        !matches!(self, Self::Silent | Self::FloorSilent)
    }

    /// As the report calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Silent => "write",
            Self::Published => "write, published",
            Self::Read => "and read",
            Self::Followed => "and dispatched",
            Self::FloorSilent => "by hand",
            Self::FloorPublished => "by hand, published",
        }
    }
}

/// One side's turn.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) side: Side,
    pub(crate) cost: Cost,
}

/// Measures all in turns.
pub(crate) async fn measure(postmaster: u32, seconds: u64, rounds: usize) -> Result<Vec<Turn>> {
    let ground = Ground::open().await?;
    let people: Arc<[Person]> = people(&ground.admin, "publish", SIZE).await?.into();
    let database = std::env::var("DATABASE_URL").context("DATABASE_URL is not set")?;
    let mut lanes = vec![];
    for _ in 0..WRITERS {
        lanes.push(Arc::new(Lane::open(&database, ListForm::Json).await?));
    }
    let mut turns = vec![];
    for _ in 0..rounds {
        for side in Side::ALL {
            forget(&ground.admin).await?;
            let events = ground.events(Work::default())?;
            let background = match side {
                Side::Read => Some(ground.start(&events, false).await?),
                Side::Followed => Some(ground.start(&events, true).await?),
                _ => None,
            };
            let writers = Writers { side, people: &people, lanes: &lanes, ground: &ground };
            writers.write(WARM_UP).await?;
            let meter = Meter::start(postmaster)?;
            let written = writers.write(Duration::from_secs(seconds)).await?;
            if background.is_some() && side == Side::Followed {
                dispatched(&ground).await?;
            }
            turns.push(Turn { side, cost: meter.stop(written)? });
        }
    }
    Ok(turns)
}

/// Waits until the outbox is empty.
async fn dispatched(ground: &Ground) -> Result<()> {
    let waiting = "SELECT EXISTS (SELECT FROM events WHERE NOT dispatched)";
    while ground.admin.query_one(waiting, &[]).await?.try_get(0)? {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

struct Writers<'a> {
    side: Side,
    people: &'a Arc<[Person]>,
    lanes: &'a [Arc<Lane>],
    ground: &'a Ground,
}

impl Writers<'_> {
    /// Writes until the time is over; answers how often.
    async fn write(&self, duration: Duration) -> Result<u32> {
        let until = Instant::now() + duration;
        let written = Arc::new(AtomicU32::new(0));
        let mut tasks = JoinSet::new();
        for (number, lane) in (0..).zip(self.lanes) {
            let (written, lane) = (Arc::clone(&written), Arc::clone(lane));
            let (side, people, door) = (self.side, Arc::clone(self.people), self.ground.door.clone());
            tasks.spawn(async move {
                let mut random = StdRng::seed_from_u64(number);
                while Instant::now() < until {
                    let person = people.choose(&mut random).context("nobody")?;
                    let contact = contact(random.random());
                    match side {
                        Side::FloorSilent | Side::FloorPublished => {
                            let Person { organisation, user, .. } = *person;
                            lane.create(organisation, user, &contact, side.publishes()).await?;
                        }
                        _ => write(&person.scope(&door), contact, side.publishes()).await?,
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(written.load(Ordering::Relaxed))
    }
}

fn contact(number: u32) -> NewContact {
    let reach = Reach::new(&format!("office@made{number}.example"), "+49 30 123456", "DE");
    NewContact { kind: "COMPANY".to_owned(), name: company_name(number), reach }
}

/// The service's own way to write.
async fn write(scope: &Scope, contact: NewContact, publish: bool) -> Result<()> {
    let id = Uuid::now_v7();
    let [emails, phones, addresses] = contact.reach.values();
    let columns = reach::COLUMNS;
    let insert = sql_query(format!(
        "INSERT INTO contacts (id, kind, name, {columns}) VALUES ($1, $2, $3, $4, $5, $6)"
    ))
    .bind::<st::Uuid, _>(id)
    .bind::<st::Text, _>(contact.kind)
    .bind::<st::Text, _>(contact.name)
    .bind::<st::Jsonb, _>(emails)
    .bind::<st::Jsonb, _>(phones)
    .bind::<st::Jsonb, _>(addresses);
    let written = scope.write(Permission::WriteContacts, |tx| async move {
        tx.execute(insert).await?;
        if publish {
            tx.publish(Event::new("contact", "created", id, json!({})));
        }
        Ok(())
    });
    written.await.map_err(failed)
}
