//! What one organisation may have of the connections, so that its slow requests do not become
//! everybody's.

use std::{sync::Arc, time::Duration};

use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::Refusal;

/// How long an organisation that asks for nothing is remembered: longer than anything holds a
/// connection.
const REMEMBERED: Duration = Duration::from_secs(120);

/// The shares of all organisations.
pub(crate) struct Shares {
    of: Cache<Uuid, Arc<Semaphore>>,
    size: usize,
}

/// A connection's place in an organisation's share, until it is dropped.
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Shares {
    /// Half of the connections for each organisation: the other half is there for the others.
    pub(crate) fn new(connections: usize) -> Self {
        Self { of: Cache::builder().time_to_idle(REMEMBERED).build(), size: connections.div_ceil(2) }
    }

    /// A place in the organisation's share, as soon as one is free.
    ///
    /// # Errors
    /// UNAVAILABLE if that takes too long.
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
