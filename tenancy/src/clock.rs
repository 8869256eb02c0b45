use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

/// What time it is for the service.
///
/// Handed to everything that asks, database defaults included, so that a test can move it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

/// Moves a [`Clock`] by hand; starts at the present and runs on from there.
#[derive(Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// The clock that this hand moves.
    pub fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        Clock(Arc::new(move || Utc::now() + TimeDelta::seconds(seconds.load(Ordering::SeqCst))))
    }

    /// Puts the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}
