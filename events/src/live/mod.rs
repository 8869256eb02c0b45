//! Live fan-out: who listens in this gateway hears of every event, wherever it was made.
//!
//! PostgreSQL announces only that there is something new. What that is, each gateway reads from the
//! outbox: everything that was committed since its last look, by the two snapshots, so that nothing
//! is left out however transactions overtake each other, and after a lost connection as well.

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

/// What to listen to, within an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    entity: String,
    id: Option<Uuid>,
}

impl Topic {
    /// What happens to entities whose ids start with this: `contact`.
    pub fn entity(prefix: &str) -> Self {
        Self { entity: prefix.to_owned(), id: None }
    }

    /// What happens to one of them.
    pub fn one(prefix: &str, id: Uuid) -> Self {
        Self { entity: prefix.to_owned(), id: Some(id) }
    }
}

/// Finds out anew who is asking: the gateway's way of asking identity again, from its cache of
/// sessions. Answers the scope for the next delivery.
///
/// # Errors
/// UNAUTHENTICATED for one who has logged out or may not log in any more.
pub type Renew = Arc<dyn Fn(Scope) -> BoxFuture<'static, Result<Scope, Failure>> + Send + Sync>;

/// What a listener gets.
#[derive(Debug)]
pub enum Received {
    /// Something happened.
    Event(Arc<StoredEvent>),
    /// The listener was too slow for so many events, or they were too many to be kept: what it shows
    /// must be loaded again.
    Missed(u64),
}

/// One who listens.
pub struct Listener {
    receiver: Receiver<Arc<StoredEvent>>,
    /// Leaves the topic when the listener is dropped, after the receiver.
    _subscription: hub::Subscription,
    scope: Scope,
    permission: Permission,
    renew: Renew,
    /// What has come, until it is known that the listener may have it.
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

    /// Waits for what comes next, and checks that the listener may still hear of it. The scope is
    /// that of a session renewed just now. Nothing if the gateway stops. Dropped before it answers,
    /// it loses nothing.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN once the listener may not hear of it any more; UNAVAILABLE while
    /// that cannot be found out, and what was to be heard is answered by the next call.
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
