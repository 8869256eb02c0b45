//! The steps of dead letters.

use diesel::{sql_query, sql_types as st};
use listing::{Act, Changes, Done, Nothing, Steps, Work};
use tenancy::{Failure, Permission};

use super::{DeadLetter, DeadLetterState};
use crate::tables::dead_letters;

// The job keeps its id and its place in the sequence; a webhook delivery becomes pending again.
const REPLAY: &str = "
    WITH letter AS (
        SELECT id, kind, payload, summary, sequence_key, place FROM dead_letters WHERE id = $1
    ), delivery AS (
        UPDATE webhook_deliveries SET state = 'PENDING' FROM letter WHERE webhook_deliveries.id = letter.id
        RETURNING 1
    )
    INSERT INTO jobs (id, kind, payload, summary, sequence_key, place) SELECT * FROM letter
    ON CONFLICT (organisation_id, id) DO NOTHING";

const LOCK_DELIVERY: &str = "SELECT FROM webhook_deliveries WHERE id = $1 FOR NO KEY UPDATE";

/// Puts the job of a dead letter back into the queue.
pub(crate) struct ReplayLetter;

impl Act for ReplayLetter {
    type Row = DeadLetter;
    type Input = Nothing;
    type Further = Nothing;
    const NAME: &'static str = "replayDeadLetter";
    const ABOUT: &'static str = "Puts the job of a dead letter back into the queue. It starts with its first \
        attempt; if the last one fails, the dead letter waits again.";
    const NEEDS: Permission = Permission::WriteDeadLetters;
    const PAST: Option<&'static str> = Some("replayed");
    const LOCKS_PARENTS: bool = true;

    // A replay of the delivery locks it before its dead letter.
    async fn lock_parents(work: &Work<'_>, letter: &DeadLetter) -> Result<(), Failure> {
        let lock = sql_query(LOCK_DELIVERY).bind::<st::Uuid, _>(letter.id.uuid());
        work.tx().execute(lock).await.map(drop)
    }

    async fn run(
        work: &Work<'_>,
        letter: DeadLetter,
        _: Nothing,
    ) -> Result<Done<DeadLetter, Nothing>, Failure> {
        let state = letter.state.0.step(DeadLetterState::Replayed)?;
        work.tx().execute(sql_query(REPLAY).bind::<st::Uuid, _>(letter.id.uuid())).await?;
        work.tx().announce();
        settle(work, &letter, state).await
    }
}

/// Gives a dead letter up.
pub(crate) struct DismissLetter;

impl Act for DismissLetter {
    type Row = DeadLetter;
    type Input = Nothing;
    type Further = Nothing;
    const NAME: &'static str = "dismissDeadLetter";
    const ABOUT: &'static str = "Gives a dead letter up: its job is not done. It is purged after 30 days.";
    const NEEDS: Permission = Permission::WriteDeadLetters;
    const PAST: Option<&'static str> = Some("dismissed");

    async fn run(
        work: &Work<'_>,
        letter: DeadLetter,
        _: Nothing,
    ) -> Result<Done<DeadLetter, Nothing>, Failure> {
        let state = letter.state.0.step(DeadLetterState::Dismissed)?;
        settle(work, &letter, state).await
    }
}

async fn settle(
    work: &Work<'_>,
    letter: &DeadLetter,
    state: DeadLetterState,
) -> Result<Done<DeadLetter, Nothing>, Failure> {
    let changes =
        Changes::default().set(dead_letters::state, state.name()).set(dead_letters::settled_at, work.now());
    work.save(letter, changes).await.map(Done::with)
}
