//! Exponential back-off with jitter, the same for every kind of job.

use std::time::Duration;

/// The number of attempts before a job becomes a dead letter, after 22 to 32 hours.
pub(super) const MAX_ATTEMPTS: i32 = 12;
/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(5);
/// The factor by which the wait grows with each failure.
const FACTOR: u32 = 4;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);
/// The share of a wait that is random, so that jobs that failed together are not retried together.
const JITTER: f64 = 0.3;

/// The wait after this many failures; `chance` is a random number between 0 and 1.
pub(super) fn wait(failures: i32, chance: f64) -> Duration {
    let steps = u32::try_from(failures - 1).unwrap_or(0).min(16);
    let full = FIRST.saturating_mul(FACTOR.saturating_pow(steps)).min(LONGEST);
    full.mul_f64(1.0 - JITTER * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_the_longest_and_chance_only_shortens_them() {
        let waits: Vec<u64> = (1..=MAX_ATTEMPTS).map(|failures| wait(failures, 0.0).as_secs()).collect();
        assert_eq!(waits, [5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600, 21600, 21600, 21600]);
        for failures in 1..=MAX_ATTEMPTS {
            let (least, most) = (wait(failures, 1.0), wait(failures, 0.0));
            assert!(least < most && least.as_secs_f64() >= most.as_secs_f64() * 0.69);
        }
    }

    #[test]
    fn no_number_of_failures_breaks_it() {
        for failures in [i32::MIN + 1, 0, 100, i32::MAX] {
            assert!(wait(failures, 2.0) <= LONGEST);
        }
    }
}
