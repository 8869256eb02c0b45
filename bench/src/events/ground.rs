//! The service's own parts on the measured database, in this process.

use std::time::Duration;

use anyhow::{Context, Result};
use domain_identity::{Identity, TokenKeys};
use events::{Events, Work};
use tenancy::{Addresses, Database, Failure, Limits, ManualClock, SystemDoor};
use tokio::{task::JoinSet, time::timeout};
use tokio_postgres::{Client, NoTls};

/// Names the superuser's address of the measured database.
pub(crate) const ADMIN_URL: &str = "BENCH_ADMIN_URL";

/// An open database and who may use it.
pub(crate) struct Ground {
    pub(crate) door: SystemDoor,
    pub(crate) clock: ManualClock,
    pub(crate) admin: Client,
    database: Database,
    addresses: Addresses,
}

impl Ground {
    /// Opens the database that the environment names, without events of earlier measurements.
    pub(crate) async fn open() -> Result<Self> {
        let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
        let (admin, connection) = tokio_postgres::connect(&variable(ADMIN_URL)?, NoTls).await?;
        tokio::spawn(connection);
        forget(&admin).await?;
        let addresses = Addresses::parse(&variable("DATABASE_URL")?, None, None)?;
        let (clock, limits) = (ManualClock::default(), Limits::default());
        let opened = Database::open(
            &addresses,
            &limits,
            gateway::CONSTRAINTS,
            clock.clock(),
            tenancy::Settings::default(),
        );
        let (database, door) = Box::pin(opened).await?;
        Ok(Self { door, clock, admin, database, addresses })
    }

    /// Events as the gateway has them.
    pub(crate) fn events(&self, work: Work) -> Result<Events> {
        let public_url = "http://127.0.0.1/".parse()?;
        let identity = Identity::new(self.door.clone(), TokenKeys::random(), public_url).map_err(failed)?;
        Ok(Events::new(self.door.clone(), gateway::renew(&self.database, &identity), work))
    }

    /// Starts what a gateway starts beside requests, with the background work or without it, and
    /// waits until it hears PostgreSQL.
    pub(crate) async fn start(&self, events: &Events, works: bool) -> Result<JoinSet<()>> {
        let mut announced = self.door.announced();
        let mut background = if works { events.start() } else { events.start_listening() };
        let (database, addresses) = (self.database.clone(), self.addresses.clone());
        background.spawn(async move { database.listen(&addresses).await });
        timeout(Duration::from_secs(10), announced.changed()).await.context("PostgreSQL is not heard")??;
        Ok(background)
    }
}

/// Deletes all events and jobs. Not analysed: plans made for a table that is known to be empty are bad
/// once it is full.
pub(crate) async fn forget(admin: &Client) -> Result<()> {
    admin.batch_execute("TRUNCATE events, jobs").await?;
    Ok(admin.batch_execute("CHECKPOINT").await?)
}

/// The service's failures say what happened only to those who debug.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
pub(crate) fn failed(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure:?}")
}
