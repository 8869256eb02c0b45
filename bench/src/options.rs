//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand};

use crate::{case::Case, events::EventsOptions, floor::ListForm};

/// Access tokens live 15 minutes; the load must be over before they expire.
const LONGEST_LOAD: Duration = Duration::from_secs(13 * 60);

/// Before each round, so that plans, caches and connections are warm when counting starts.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);

/// Measures what a request costs the service, beside a hand-written floor.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Options,
}

/// Other measurements, and what a measurement starts of itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measures what events cost: publishing them, hearing of them, and the jobs that follow.
    Events(EventsOptions),
    /// Measures what requests cost before they are executed or refused, hostile ones above all.
    Requests,
    /// Measures what fifty entities cost, beside those that there are.
    #[cfg(feature = "entities")]
    Entities(InProcess),
    /// Measures the search among many rows.
    Search(InProcess),
    /// Measures the list of a session that sees few of many rows.
    Sight(InProcess),
    /// One part of the events, in a process of its own.
    #[command(hide = true)]
    EventsTask { task: String },
    /// The hand-written server that the service is compared with.
    #[command(hide = true)]
    Floor {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        connections: usize,
        #[arg(long, value_enum)]
        list: ListForm,
    },
}

/// How much to measure in this process.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct InProcess {
    /// How long each round lasts.
    #[arg(long, default_value_t = 3)]
    pub(crate) seconds: u64,
    /// How often the sides take turns.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
}

/// How much to measure.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// How long each round lasts; processor time is counted in ticks of 10 ms, so not too short.
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
    /// How often the servers take turns in each case.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Keep-alive connections that ask without a pause; floor and peer have as many to PostgreSQL.
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: usize,
    /// Threads of the service that answer requests; the floor has one.
    #[arg(long, default_value_t = 1)]
    pub(crate) workers: usize,
    /// How many organisations sign up.
    #[arg(long, default_value_t = 100)]
    pub(crate) organisations: usize,
    /// How many contacts each of them gets: one company to nine persons.
    #[arg(long, default_value_t = 2000)]
    pub(crate) contacts: u32,
    /// Where the random choice of organisations and contacts starts.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Measure this case alone; may be repeated.
    #[arg(long = "case", value_enum)]
    pub(crate) cases: Vec<Case>,
    /// Measure PostGraphile too; npm installs it first.
    #[arg(long)]
    pub(crate) peers: bool,
    /// How the floor makes the JSON of a list: in SQL, or from rows, which is the lower floor.
    #[arg(long, value_enum, default_value = "json")]
    pub(crate) floor_list: ListForm,
    /// Also write every round's numbers to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Measure this binary of the gateway instead of building one.
    #[arg(long, value_name = "FILE")]
    pub(crate) gateway: Option<PathBuf>,
}

impl Options {
    /// Refuses what would outlast the access tokens or measure nothing.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.seconds > 0 && self.rounds > 0, "a measurement needs --seconds and --rounds above 0");
        ensure!((1..=256).contains(&self.workers), "--workers is 1 to 256");
        ensure!((1..=256).contains(&self.connections), "--connections is 1 to 256");
        ensure!((1..=1000).contains(&self.organisations), "--organisations is 1 to 1000");
        ensure!((200..=1_000_000).contains(&self.contacts), "--contacts is 200 to 1000000");
        let servers = if self.peers { 3 } else { 2 };
        let turns = u32::try_from(self.rounds * self.cases().len() * servers)?;
        let load = (Duration::from_secs(self.seconds) + WARM_UP).saturating_mul(turns);
        ensure!(
            load <= LONGEST_LOAD,
            "{} s of load outlast the access tokens: at most {} s",
            load.as_secs(),
            LONGEST_LOAD.as_secs()
        );
        Ok(())
    }

    /// The cases to measure. Those that add rows come last, so that they change no other.
    pub(crate) fn cases(&self) -> Vec<Case> {
        Case::ALL.into_iter().filter(|case| self.cases.is_empty() || self.cases.contains(case)).collect()
    }
}
