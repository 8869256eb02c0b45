use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::measure::Used;

/// What one of many costs.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// How many there were.
    pub(crate) count: u32,
    /// How many came in a second.
    pub(crate) per_second: f64,
    /// Processor time of each in microseconds: of the process that did it, its children included.
    pub(crate) process_us: f64,
    /// And of PostgreSQL.
    pub(crate) postgres_us: f64,
}

impl Cost {
    pub(crate) fn together_us(&self) -> f64 {
        self.process_us + self.postgres_us
    }
}

/// Runs while something is measured.
pub(crate) struct Meter {
    postmaster: u32,
    started: Instant,
    before: Used,
}

impl Meter {
    /// Counts what this process and PostgreSQL use from now on.
    pub(crate) fn start(postmaster: u32) -> Result<Self> {
        let before = Used::by(std::process::id(), postmaster)?;
        Ok(Self { postmaster, started: Instant::now(), before })
    }

    /// How long it has run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// What each of so many has cost.
    pub(crate) fn stop(&self, count: u32) -> Result<Cost> {
        let elapsed = self.started.elapsed();
        let after = Used::by(std::process::id(), self.postmaster)?;
        ensure!(count > 0, "nothing was done");
        let each = |before: Duration, after: Duration| {
            after.saturating_sub(before).as_secs_f64() * 1e6 / f64::from(count)
        };
        Ok(Cost {
            count,
            per_second: f64::from(count) / elapsed.as_secs_f64(),
            process_us: each(self.before.server, after.server),
            postgres_us: each(self.before.postgres, after.postgres),
        })
    }
}
