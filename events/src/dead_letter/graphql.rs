use async_graphql::{Context, InputObject, Object, Result};
use listing::{GivenId, Payload, scope};

use super::DeadLetter;
use crate::Replay;

/// Input of `replayDeadLetter`.
#[derive(InputObject)]
struct ReplayDeadLetterInput {
    /// The id of the dead letter.
    id: GivenId<DeadLetter>,
}

#[derive(Default)]
pub(crate) struct DeadLetterMutation;

#[Object]
impl DeadLetterMutation {
    /// Puts the job of a dead letter back into the queue, starting with the first attempt. If every
    /// attempt fails, it becomes a dead letter again.
    async fn replay_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The dead letter to replay.")] input: ReplayDeadLetterInput,
    ) -> Result<Payload<Replay, DeadLetter>> {
        let replayed = async { super::replay(scope(ctx)?, input.id.uuid("id")?).await };
        Ok(Payload::of(replayed.await)?)
    }
}
