//! The rounds: case by case, the servers in turns, so that drift of the machine hits all.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::{
    case::Case,
    driver::Load,
    flow::say,
    measure::Used,
    options::{Options, WARM_UP},
    target::{Side, Target, Tenant},
};

/// What the rounds are run with.
pub(crate) struct Setting<'a> {
    /// How long and how often.
    pub(crate) options: &'a Options,
    /// The servers.
    pub(crate) targets: Vec<Target>,
    /// The organisations that ask.
    pub(crate) tenants: Arc<[Tenant]>,
    /// PostgreSQL's first process.
    pub(crate) postmaster: u32,
}

/// One server's numbers in one round.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) case: Case,
    pub(crate) side: Side,
    pub(crate) round: usize,
    pub(crate) requests: u64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time per request, in microseconds.
    pub(crate) server_us: f64,
    pub(crate) postgres_us: f64,
    pub(crate) together_us: f64,
}

/// Runs them all.
pub(crate) async fn run(setting: &Setting<'_>) -> Result<Vec<Round>> {
    let mut rounds = Vec::new();
    for case in setting.options.cases() {
        for number in 1..=setting.options.rounds {
            for &target in &setting.targets {
                let round = one(setting, case, number, target)
                    .await
                    .with_context(|| format!("{} of the {}", case.name(), target.side.name()))?;
                say(&format!(
                    "{} {number}: {} {:.0}/s, {:.0} + {:.0} us",
                    case.name(),
                    target.side.name(),
                    round.requests_per_second,
                    round.server_us,
                    round.postgres_us
                ));
                rounds.push(round);
            }
        }
    }
    Ok(rounds)
}

async fn one(setting: &Setting<'_>, case: Case, number: usize, target: Target) -> Result<Round> {
    let options = setting.options;
    let seed = options.seed.wrapping_add(u64::try_from(number)?);
    let tenants = Arc::clone(&setting.tenants);
    let mut load = Load::open(target, case, tenants, options.connections, seed).await?;
    load.drive(WARM_UP).await?;
    let before = Used::by(target.process, setting.postmaster)?;
    let drive = load.drive(Duration::from_secs(options.seconds)).await?;
    let after = Used::by(target.process, setting.postmaster)?;

    let requests = drive.latencies.len();
    ensure!(requests > 0, "no answers");
    let counted = number_of(requests);
    let per_request = |before: Duration, after: Duration| (after - before).as_secs_f64() * 1e6 / counted;
    let server_us = per_request(before.server, after.server);
    let postgres_us = per_request(before.postgres, after.postgres);
    let milliseconds = |quantile| number_of(drive.latencies.value_at_quantile(quantile)) / 1000.0;
    Ok(Round {
        case,
        side: target.side,
        round: number,
        requests,
        requests_per_second: counted / drive.elapsed.as_secs_f64(),
        p50_ms: milliseconds(0.5),
        p99_ms: milliseconds(0.99),
        server_us,
        postgres_us,
        together_us: server_us + postgres_us,
    })
}

/// Counts and microseconds of one round are far below 2^32.
fn number_of(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
