//! Writes that get in each other's way.

use std::time::Duration;

use uuid::Uuid;

use crate::{Failure, Refusal};

/// The pauses before a write is tried again; each is shortened at random by up to a half, so that the
/// writes that met do not meet again.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(80), Duration::from_millis(320)];

/// Carries a write out, and again if PostgreSQL ended it because of others: for a deadlock, or because
/// it could not be serialised. Nothing of the ended attempt is left.
///
/// # Errors
/// What the write returns, and UNAVAILABLE if every attempt met others.
pub async fn retried<T, F>(attempt: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for pause in PAUSES {
        match attempt().await {
            Err(Failure::Refused(Refusal::Contended)) => tokio::time::sleep(shortened(pause)).await,
            outcome => return outcome,
        }
    }
    attempt().await
}

fn shortened(pause: Duration) -> Duration {
    let [random, ..] = *Uuid::new_v4().as_bytes();
    pause.mul_f32(1.0 - f32::from(random) / 512.0)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_contended_write_is_tried_again_and_others_are_not() {
        let tries = Cell::new(0);
        let after = |successes: usize, failure: Failure| {
            let tries = &tries;
            move || {
                tries.set(tries.get() + 1);
                let outcome = if tries.get() > successes { Ok(()) } else { Err(failure.clone()) };
                async move { outcome }
            }
        };
        assert!(retried(after(2, Refusal::Contended.into())).await.is_ok());
        assert_eq!(tries.replace(0), 3);
        assert!(retried(after(9, Refusal::Contended.into())).await.is_err());
        assert_eq!(tries.replace(0), 4);
        assert!(retried(after(9, Refusal::Timeout.into())).await.is_err());
        assert_eq!(tries.get(), 1);
    }
}
