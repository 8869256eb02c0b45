use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tokio::{sync::Notify, time::timeout};

/// The longest anything may take to be heard or done.
const PATIENCE: Duration = Duration::from_secs(120);

/// Counts what many tasks have heard or done, until it is all of it.
#[derive(Default)]
pub(crate) struct Tally {
    count: AtomicU32,
    missed: AtomicU32,
    wanted: AtomicU32,
    complete: Notify,
}

impl Tally {
    /// One more.
    pub(crate) fn add(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) + 1 == self.wanted.load(Ordering::Relaxed) {
            self.complete.notify_one();
        }
    }

    /// Something was lost, so that there never will be all of it.
    pub(crate) fn miss(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
        self.complete.notify_one();
    }

    /// Starts to count anew, up to this.
    pub(crate) fn want(&self, wanted: u32) {
        self.count.store(0, Ordering::Relaxed);
        self.wanted.store(wanted, Ordering::Relaxed);
    }

    /// Waits until all have come.
    pub(crate) async fn all(&self) -> Result<()> {
        let late =
            || format!("{} of {}", self.count.load(Ordering::Relaxed), self.wanted.load(Ordering::Relaxed));
        timeout(PATIENCE, self.complete.notified()).await.with_context(late)?;
        let missed = self.missed.load(Ordering::Relaxed);
        ensure!(missed == 0, "{missed} times something was missed");
        Ok(())
    }
}
