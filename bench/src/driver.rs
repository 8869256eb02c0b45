//! The load: some keep-alive connections, each of which asks again as soon as it is answered.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::task::JoinSet;

use crate::{
    case::Case,
    client::Connection,
    target::{Target, Tenant},
};

/// What one period of load gave.
pub(crate) struct Drive {
    /// How many answers came, and how long each took in microseconds.
    pub(crate) latencies: Histogram<u64>,
    /// How long it lasted.
    pub(crate) elapsed: Duration,
}

/// Open connections to one server.
pub(crate) struct Load {
    target: Target,
    case: Case,
    tenants: Arc<[Tenant]>,
    workers: Vec<Worker>,
}

struct Worker {
    connection: Connection,
    random: StdRng,
}

impl Load {
    /// Opens the connections. The same seed asks the same of every server.
    pub(crate) async fn open(
        target: Target,
        case: Case,
        tenants: Arc<[Tenant]>,
        connections: usize,
        seed: u64,
    ) -> Result<Self> {
        let mut seeds = StdRng::seed_from_u64(seed);
        let mut workers = Vec::with_capacity(connections);
        for _ in 0..connections {
            let connection = Connection::open(target.address).await?;
            workers.push(Worker { connection, random: StdRng::seed_from_u64(seeds.random()) });
        }
        Ok(Self { target, case, tenants, workers })
    }

    /// Asks on all connections until the time is over and the last answer is there.
    pub(crate) async fn drive(&mut self, duration: Duration) -> Result<Drive> {
        let started = Instant::now();
        let until = started + duration;
        let mut tasks = JoinSet::new();
        for mut worker in self.workers.drain(..) {
            let (target, case, tenants) = (self.target, self.case, Arc::clone(&self.tenants));
            tasks.spawn(async move {
                let latencies = worker.ask(target, case, &tenants, until).await?;
                anyhow::Ok((worker, latencies))
            });
        }
        let mut all = histogram()?;
        while let Some(done) = tasks.join_next().await {
            let (worker, latencies) = done.context("a worker panicked")??;
            all.add(latencies)?;
            self.workers.push(worker);
        }
        Ok(Drive { latencies: all, elapsed: started.elapsed() })
    }
}

impl Worker {
    async fn ask(
        &mut self,
        target: Target,
        case: Case,
        tenants: &[Tenant],
        until: Instant,
    ) -> Result<Histogram<u64>> {
        let mut latencies = histogram()?;
        let mut asked = Instant::now();
        while asked < until {
            let number = self.random.random_range(0..tenants.len());
            let tenant = tenants.get(number).context("no tenant")?;
            let question = target.side.question(case.wish(tenant, &mut self.random), tenant);
            let post = target.post(case, tenant, &question);
            asked = Instant::now();
            let answer = self.connection.post(post).await?;
            latencies.saturating_record(u64::try_from(asked.elapsed().as_micros())?);
            question.check(&answer)?;
        }
        Ok(latencies)
    }
}

/// Microseconds up to a minute, to three digits.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}
