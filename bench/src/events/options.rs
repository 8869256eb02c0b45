use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

/// What of events is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// A write that publishes beside one that does not, and the whole mutation.
    Publish,
    /// Thousands of listeners beside a bare broadcast.
    Listeners,
    /// From events to jobs that are done, beside pgbench.
    Outbox,
}

/// How much to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct EventsOptions {
    /// How long each round lasts; processor time is counted in ticks of 10 ms, so not too short.
    #[arg(long, default_value_t = 3)]
    pub(crate) seconds: u64,
    /// How often what is compared takes turns.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// How many events are dispatched in a round of the outbox.
    #[arg(long, default_value_t = 16_000)]
    pub(crate) events: u32,
    /// Measure this alone; may be repeated.
    #[arg(long = "part", value_enum)]
    pub(crate) parts: Vec<Part>,
    /// Also write every round's numbers to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Use this binary of the gateway instead of building one.
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway: Option<PathBuf>,
}

impl EventsOptions {
    /// Refuses what would outlast the access tokens or measure nothing.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!((1..=60).contains(&self.seconds), "--seconds is 1 to 60");
        ensure!((1..=20).contains(&self.rounds), "--rounds is 1 to 20");
        ensure!((1000..=1_000_000).contains(&self.events), "--events is 1000 to 1000000");
        Ok(())
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}
