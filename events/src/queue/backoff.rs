//! How long a failed job waits: exponential back-off with jitter, the same for every kind.

use std::time::Duration;

/// How often a job is tried before it is given up, within 22 to 32 hours.
pub(super) const MAX_ATTEMPTS: i32 = 12;
/// After the first failure.
const FIRST: Duration = Duration::from_secs(5);
/// By how much the wait grows from one failure to the next.
const FACTOR: u32 = 4;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);
/// The part of a wait that chance decides, so that what failed together does not come back together.
const JITTER: f64 = 0.3;

/// How long to wait after so many failures; `chance` lies between 0 and 1.
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
