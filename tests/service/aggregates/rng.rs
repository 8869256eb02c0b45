//! A random number generator whose results can be repeated.

use std::thread;

use uuid::Uuid;

/// Every number follows from one seed. A test that fails prints it; `SEED=<number>` repeats
/// the run.
pub(crate) struct Rng {
    seed: u64,
    state: u64,
}

impl Rng {
    pub(crate) fn new() -> Self {
        let given = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0);
        Self { seed, state: seed }
    }

    // SplitMix64: short, and good enough to choose test data.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 and below this.
    pub(crate) fn below(&mut self, end: i64) -> i64 {
        i64::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// A number of things, from 0 and below this.
    pub(crate) fn count(&mut self, end: usize) -> usize {
        usize::try_from(self.below(i64::try_from(end).unwrap())).unwrap()
    }

    /// True once in so many calls.
    pub(crate) fn once_in(&mut self, calls: i64) -> bool {
        self.below(calls) == 0
    }

    /// One of these.
    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.count(of.len())].clone()
    }

    /// Some of these, at most so many, in any order.
    pub(crate) fn some<T: Clone>(&mut self, of: &[T], most: usize) -> Vec<T> {
        let mut left = of.to_vec();
        let wanted = self.count(most.min(of.len()) + 1);
        (0..wanted).map(|_| left.swap_remove(self.count(left.len()))).collect()
    }
}

impl Drop for Rng {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("repeat with SEED={}", self.seed);
        }
    }
}
