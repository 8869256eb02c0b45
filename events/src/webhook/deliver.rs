//! The handler of webhook jobs: one delivery attempt.

use std::sync::Arc;

use serde_json::Value;
use tenancy::Permission;
use uuid::Uuid;

use super::{Attempt, DeliveryState, Outcome, Request, Secret, Sender, store};
use crate::{ClaimedJob, JobError, StoredEvent};

/// Makes one attempt and records the result.
pub(crate) async fn deliver(sender: Arc<Sender>, job: ClaimedJob) -> Result<(), JobError> {
    let delivery_id = job.payload.get("deliveryId").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let delivery_id: Uuid = delivery_id.ok_or_else(|| JobError::permanent("The job names no delivery."))?;
    let Some(outgoing) = store::outgoing(&job.scope, delivery_id).await? else {
        return Err(JobError::permanent("The event is not kept any more."));
    };
    if !outgoing.wanted {
        let given_up = job.scope.write(Permission::WriteWebhooks, |tx| {
            let job = &job;
            async move {
                store::give_up(&tx, delivery_id, "The endpoint was switched off or deleted.").await?;
                job.finish(&tx).await
            }
        });
        return Ok(given_up.await?);
    }
    let secrets = store::secrets(&job.scope, outgoing.endpoint_id).await?;
    let secrets: Vec<Secret> = secrets.iter().filter_map(|known| Secret::parse(&known.secret).ok()).collect();
    let now = job.scope.clock().now();
    let request = Request {
        url: &outgoing.url,
        // The event's id, not the delivery's: receivers use it to recognise a repeated event.
        id: &listing::id_text(StoredEvent::PREFIX, outgoing.event.id),
        timestamp: now.timestamp(),
        body: outgoing.event.envelope().to_string(),
        secrets: &secrets,
    };
    let attempt = sender.send(request).await;
    settle(&job, delivery_id, outgoing.endpoint_id, attempt).await
}

async fn settle(
    job: &ClaimedJob,
    delivery_id: Uuid,
    endpoint_id: Uuid,
    attempt: Attempt,
) -> Result<(), JobError> {
    let now = job.scope.clock().now();
    let message = || attempt.error.clone().unwrap_or_default();
    let (state, outcome) = match attempt.outcome {
        Outcome::Delivered => (DeliveryState::DELIVERED, Ok(())),
        Outcome::Gone => (DeliveryState::FAILED, Ok(())),
        Outcome::Refused => (DeliveryState::FAILED, Err(JobError::permanent(message()))),
        Outcome::Retry { after } => {
            let is_last = job.is_last_attempt();
            let state = if is_last { DeliveryState::FAILED } else { DeliveryState::PENDING };
            (state, Err(JobError { message: message(), permanent: false, wait: after }))
        }
    };
    let is_over = outcome.is_ok();
    let written = job.scope.write(Permission::WriteWebhooks, |tx| {
        let attempt = &attempt;
        async move {
            store::record(&tx, delivery_id, state, attempt, now).await?;
            if attempt.outcome == Outcome::Delivered {
                store::endpoint_succeeded(&tx, endpoint_id).await?;
            } else {
                store::endpoint_failed(&tx, endpoint_id, attempt.outcome == Outcome::Gone).await?;
            }
            if is_over { job.finish(&tx).await } else { Ok(()) }
        }
    });
    written.await?;
    outcome
}
