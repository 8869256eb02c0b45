//! Dead letters: jobs whose last attempt failed. An admin can read, replay or dismiss them.

mod entity;
mod graphql;

use diesel::{sql_query, sql_types as st};
use listing::find_in;
use tenancy::{ErrorCode, Failure, Permission, Scope};
use uuid::Uuid;

pub use entity::DeadLetter;
pub(crate) use graphql::DeadLetterMutation;

// The job keeps its id and its place in the sequence; a webhook delivery becomes pending again.
const REPLAY: &str = "
    WITH letter AS (
        UPDATE dead_letters SET deleted_at = service_now(), replayed_at = service_now()
        WHERE id = $1 AND deleted_at IS NULL
        RETURNING id, kind, payload, summary, sequence_key, place
    ), delivery AS (
        UPDATE webhook_deliveries SET state = 'PENDING' FROM letter WHERE webhook_deliveries.id = letter.id
        RETURNING 1
    )
    INSERT INTO jobs (id, kind, payload, summary, sequence_key, place) SELECT * FROM letter
    ON CONFLICT (organisation_id, id) DO NOTHING";

/// Puts the job of a dead letter back into the queue.
///
/// # Errors
/// FORBIDDEN; NOT_FOUND for an unknown id; INVALID_TRANSITION if the dead letter was replayed or
/// dismissed.
async fn replay(scope: &Scope, id: Uuid) -> Result<DeadLetter, Failure> {
    scope.require(Permission::WriteDeadLetters)?;
    let replayed = scope.write(Permission::WriteDeadLetters, |tx| async move {
        let is_replayed = tx.execute(sql_query(REPLAY).bind::<st::Uuid, _>(id)).await? > 0;
        let letter = find_in::<DeadLetter>(&tx, id).await?.ok_or_else(|| Failure::not_found("id"))?;
        if !is_replayed {
            let message = "It was replayed or dismissed already.";
            return Err(Failure::user(ErrorCode::InvalidTransition, "id", message));
        }
        tx.announce();
        Ok(letter)
    });
    replayed.await
}
