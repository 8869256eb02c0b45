//! Limits the connections of each organisation, so that slow requests of one do not block others.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::Refusal;

/// How long the semaphore of an idle organisation is kept: longer than any request holds a connection.
const REMEMBERED: Duration = Duration::from_secs(120);

/// The semaphores of all organisations.
pub(crate) struct Shares {
    of: Cache<Uuid, Arc<Semaphore>>,
    size: usize,
}

/// A permit for one connection of an organisation; released when dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Shares {
    /// Each organisation may use half of the connections; the other half is left for the others.
    pub(crate) fn new(connections: usize) -> Self {
        Self { of: Cache::builder().time_to_idle(REMEMBERED).build(), size: connections.div_ceil(2) }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// UNAVAILABLE if the wait exceeds `patience`.
    pub(crate) async fn place(&self, organisation_id: Uuid, patience: Duration) -> Result<Place, Refusal> {
        let share = self.of.get_with(organisation_id, || Arc::new(Semaphore::new(self.size)));
        let permit = match Arc::clone(&share).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => match tokio::time::timeout(patience, share.acquire_owned()).await {
                Ok(Ok(permit)) => permit,
                Ok(Err(_)) | Err(_) => {
                    tracing::warn!(%organisation_id, "no connection left in the share of an organisation");
                    return Err(Refusal::Unavailable);
                }
            },
        };
        Ok(Place { _permit: permit })
    }
}
