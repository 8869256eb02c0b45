//! Lists: filters, orders, pages and selections, held to the same in memory.

mod case;
mod evaluate;
mod explained;
mod fixture;
mod page;
mod plans;
mod property;
mod request;
mod searches;
mod selection;
mod selections;
mod statements;
mod tables;
mod walks;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngSeed, TestRunner},
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::harness::{Client, organisation};
use fixture::Fixture;

/// How often a failing case is made simpler, where cases do not depend on one another.
const SHRINKS: u32 = 400;

/// A runner of so many random cases, and how to run the very same ones again.
fn runner(cases: u32, shrinks: u32) -> (TestRunner, String) {
    let config = Config::default();
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => Uuid::new_v4().as_u64_pair().0,
    };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { cases };
    let again = format!("again with PROPTEST_RNG_SEED={seed}");
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: config.max_shrink_iters.min(shrinks),
        ..config
    };
    (TestRunner::new(config), again)
}

/// The next random value.
fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// A new organisation with random rows, and the runtime of its client.
fn inhabited(runner: &mut TestRunner) -> (Runtime, Client, Fixture) {
    let fixture = draw(runner, &fixture::fixture());
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(async {
        let client = organisation().await;
        fixture.write(&client).await;
        client
    });
    (runtime, client, fixture)
}
