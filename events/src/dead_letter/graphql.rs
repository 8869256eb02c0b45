use async_graphql::{Context, InputObject, Object, Result};
use listing::{GivenId, Payload, scope};

use super::DeadLetter;
use crate::Replay;

/// Which dead letter to try again.
#[derive(InputObject)]
struct ReplayDeadLetterInput {
    /// Which one.
    id: GivenId<DeadLetter>,
}

#[derive(Default)]
pub(crate) struct DeadLetterMutation;

#[Object]
impl DeadLetterMutation {
    /// Puts a dead letter back into the queue: it is tried again from the first attempt on, and comes
    /// back here if that does not help.
    async fn replay_dead_letter(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ReplayDeadLetterInput,
    ) -> Result<Payload<Replay, DeadLetter>> {
        let replayed = async { super::replay(scope(ctx)?, input.id.uuid("id")?).await };
        Ok(Payload::of(replayed.await)?)
    }
}
