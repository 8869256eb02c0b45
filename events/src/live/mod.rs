//! Live fan-out: a listener receives every event of its topic, whichever gateway published it.
//!
//! The PostgreSQL notification says only that there are new events. Each gateway reads them from the
//! outbox: every event whose transaction committed between its last snapshot and the current one.
//! Comparing snapshots misses no event when transactions commit out of order or the connection is
//! lost for a while.

mod hub;
mod reader;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tenancy::{Failure, Permission, Scope};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use uuid::Uuid;

pub(crate) use hub::Hub;
pub(crate) use reader::Reader;

use crate::StoredEvent;

/// The topic of a listener, within one organisation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    entity: String,
    id: Option<Uuid>,
}

impl Topic {
    /// All events of entities with this id prefix, such as `contact`.
    pub fn entity(prefix: &str) -> Self {
        Self { entity: prefix.to_owned(), id: None }
    }

    /// All events of one entity.
    pub fn one(prefix: &str, id: Uuid) -> Self {
        Self { entity: prefix.to_owned(), id: Some(id) }
    }
}

/// Renews the session of a listener and returns the scope for the next delivery. The gateway
/// implements it with its session cache.
///
/// # Errors
/// UNAUTHENTICATED once the log-in session is over.
pub type Renew = Arc<dyn Fn(Scope) -> BoxFuture<'static, Result<Scope, Failure>> + Send + Sync>;

/// What a listener receives.
#[derive(Debug)]
pub enum Received {
    /// An event.
    Event(Arc<StoredEvent>),
    /// This many events were dropped because the listener was too slow. It has to load its data
    /// again.
    Missed(u64),
}

/// A live subscription to one topic.
pub struct Listener {
    receiver: Receiver<Arc<StoredEvent>>,
    // Declared after `receiver`, because fields are dropped in order: the topic is removed only once
    // it has no receiver left.
    _subscription: hub::Subscription,
    scope: Scope,
    permission: Permission,
    renew: Renew,
    /// An event that was received but not yet returned, because the session has to be renewed first.
    received: Option<Received>,
}

impl Listener {
    pub(crate) fn new(
        hub: &Arc<Hub>,
        renew: Renew,
        scope: Scope,
        permission: Permission,
        topic: Topic,
    ) -> Result<Self, Failure> {
        scope.require(permission)?;
        let (receiver, subscription) = Hub::subscribe(hub, scope.session().organisation_id()?, topic);
        Ok(Self { receiver, _subscription: subscription, scope, permission, renew, received: None })
    }

    /// Waits for the next event, renews the session and checks the permission. Returns the event with
    /// the renewed scope, or nothing if the gateway stops. Cancel-safe: dropping the future loses no
    /// event.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN once the listener has lost the permission; UNAVAILABLE if the
    /// session cannot be renewed at present, in which case the next call returns the event.
    pub async fn next(&mut self) -> Result<Option<(Scope, Received)>, Failure> {
        if self.received.is_none() {
            self.received = match self.receiver.recv().await {
                Ok(event) => Some(Received::Event(event)),
                Err(RecvError::Lagged(count)) => Some(Received::Missed(count)),
                Err(RecvError::Closed) => return Ok(None),
            };
        }
        let scope = (self.renew)(self.scope.clone()).await?;
        scope.require(self.permission)?;
        self.scope = scope.clone();
        Ok(self.received.take().map(|received| (scope, received)))
    }
}
