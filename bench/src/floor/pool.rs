//! Connections, each lent to one request at a time.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{ListForm, lane::Lane};

/// A fixed number of connections, opened at start. The one used last is lent next: its server
/// process is the warmest.
pub(super) struct Pool {
    free: Mutex<Vec<Lane>>,
    permits: Semaphore,
}

impl Pool {
    /// Opens them all.
    pub(super) async fn open(database: &str, connections: usize, list: ListForm) -> Result<Self> {
        let mut lanes = Vec::with_capacity(connections);
        for _ in 0..connections {
            lanes.push(Lane::open(database, list).await?);
        }
        Ok(Self { free: Mutex::new(lanes), permits: Semaphore::new(connections) })
    }

    /// Waits for a free one.
    pub(super) async fn lease(&self) -> Result<Lease<'_>> {
        let permit = self.permits.acquire().await?;
        let lane = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Lease { pool: self, lane: Some(lane.context("more permits than connections")?), _permit: permit })
    }
}

/// A connection on loan. Its transaction left in one flush, so it is settled even if the request
/// was given up.
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    lane: Option<Lane>,
    _permit: SemaphorePermit<'a>,
}

impl Lease<'_> {
    /// The connection, which is there until the loan ends.
    pub(super) fn lane(&self) -> Result<&Lane> {
        self.lane.as_ref().context("the loan has ended")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            self.pool.free.lock().unwrap_or_else(PoisonError::into_inner).push(lane);
        }
    }
}
