use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

/// What time it is for the service.
///
/// Handed to everything that asks, database defaults included, so that a test can move it.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    is_moved: bool,
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self { now: Arc::new(Utc::now), is_moved: false }
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// The present instant, if it is not the database's own too: gateways whose clocks differ must
    /// still agree on when a lease ends.
    pub(crate) fn moved(&self) -> Option<DateTime<Utc>> {
        self.is_moved.then(|| self.now())
    }
}

/// Moves a [`Clock`] by hand; starts at the present and runs on from there.
#[derive(Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// The clock that this hand moves.
    pub fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        let now = move || Utc::now() + TimeDelta::seconds(seconds.load(Ordering::SeqCst));
        Clock { now: Arc::new(now), is_moved: true }
    }

    /// Puts the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}
