use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};

/// The clock of the service.
///
/// All code and all database defaults use it, so that tests can advance the time.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    is_moved: bool,
}

impl Clock {
    /// The system clock.
    pub fn system() -> Self {
        Self { now: Arc::new(system_time), is_moved: false }
    }

    /// A clock that is so far behind this one.
    #[must_use]
    pub fn behind(&self, by: TimeDelta) -> Self {
        let now = Arc::clone(&self.now);
        Self { now: Arc::new(move || now() - by), is_moved: true }
    }

    /// The current time.
    pub fn now(&self) -> DateTime<Utc> {
        (self.now)()
    }

    /// The current time of a manual clock. With the system clock, transactions use the database's own
    /// time, so that gateways whose clocks differ agree on when a lease expires.
    pub(crate) fn moved(&self) -> Option<DateTime<Utc>> {
        self.is_moved.then(|| self.now())
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
fn system_time() -> DateTime<Utc> {
    Utc::now()
}

/// A clock for tests: runs from the current time on, and can be advanced.
#[derive(Clone, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// The clock to advance.
    pub fn clock(&self) -> Clock {
        let seconds = Arc::clone(&self.0);
        let now = move || system_time() + TimeDelta::seconds(seconds.load(Ordering::SeqCst));
        Clock { now: Arc::new(now), is_moved: true }
    }

    /// Advances the clock.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Ordering::SeqCst);
    }
}
