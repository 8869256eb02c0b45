//! Events and their recipients: the outbox, the queue, listeners, webhooks.

mod live;
mod mail;
mod queue;

mod receiver;
mod webhooks;

use std::sync::Arc;

use events::{Events, Renew, Work};
use futures_util::FutureExt;
use tenancy::{Addresses, Clock, Database, Limits, Scope, SystemDoor};

/// Events of a test's own, on any database: what they do is what the test says.
struct Own {
    events: Events,
    door: SystemDoor,
}

impl Own {
    async fn open(addresses: &Addresses, clock: Clock, work: Work) -> Self {
        let limits = Limits { connections: 8, ..Limits::default() };
        let opened =
            Database::open(addresses, &limits, gateway::CONSTRAINTS, clock, tenancy::Settings::default())
                .await;
        let (_, door) = opened.unwrap();
        let renew: Renew = Arc::new(|scope: Scope| async { Ok(scope) }.boxed());
        Self { events: Events::new(door.clone(), renew, work), door }
    }
}
