//! What happened reaches everyone it concerns: the outbox, the queue, listeners, webhooks.

#![allow(dead_code, unused_imports, reason = "its tests are being written")]

mod receiver;
mod webhooks;

use std::sync::Arc;

use events::{Claimed, Events, Handlers, Trouble, Work};
use gateway::Service;
use tenancy::{Addresses, Clock, Database, Limits, ManualClock, SystemDoor};

/// Events of a test's own, on any database: what they do is what the test says.
struct Own {
    events: Events,
    door: SystemDoor,
    database: Database,
}

impl Own {
    async fn open(addresses: &Addresses, clock: Clock, work: Work) -> Self {
        let limits = Limits { connections: 8, ..Limits::default() };
        let opened = Database::open(addresses, &limits, gateway::CONSTRAINTS, clock).await;
        let (database, door) = opened.unwrap();
        let renew = Arc::new(|scope| Box::pin(async { Ok(scope) }) as _);
        Self { events: Events::new(door.clone(), renew, work), door, database }
    }
}
