//! What happened reaches everyone it concerns: the outbox, the queue, listeners, webhooks.

mod live;
mod mail;
mod queue;

use std::sync::Arc;

use events::{Events, Work};
use tenancy::{Addresses, Clock, Database, Limits, SystemDoor};

/// Events of a test's own, on any database: what they do is what the test says.
struct Own {
    events: Events,
    door: SystemDoor,
}

impl Own {
    async fn open(addresses: &Addresses, clock: Clock, work: Work) -> Self {
        let limits = Limits { connections: 8, ..Limits::default() };
        let opened = Database::open(addresses, &limits, gateway::CONSTRAINTS, clock).await;
        let (_, door) = opened.unwrap();
        let renew = Arc::new(|scope| Box::pin(async { Ok(scope) }) as _);
        Self { events: Events::new(door.clone(), renew, work), door }
    }
}
