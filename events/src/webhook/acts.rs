//! The steps of webhook endpoints and deliveries.

use async_graphql::InputObject;
use chrono::TimeDelta;
use listing::{Act, Done, Nothing, Work};
use serde_json::json;
use tenancy::{ErrorCode, Failure, Permission, UserError};

use super::{Secret, WebhookDelivery, WebhookEndpoint, store};

/// The longest overlap of two secrets, in hours.
const MAX_OVERLAP: i32 = 7 * 24;

/// How many secrets of an endpoint may sign at once: all signatures share one header.
const MAX_SECRETS: i64 = 5;

/// Input of `rotateWebhookEndpoint`.
#[derive(InputObject)]
pub(crate) struct Overlap {
    /// For how many hours the old secret signs as well, so that receivers have time to adopt the new
    /// one; at most 168.
    #[graphql(default = 24)]
    overlap_hours: i32,
}

/// Replaces the secret of an endpoint.
pub(crate) struct Rotate;

impl Act for Rotate {
    type Row = WebhookEndpoint;
    type Input = Overlap;
    type Further = Nothing;
    const NAME: &'static str = "rotateWebhookEndpoint";
    const ABOUT: &'static str =
        "Replaces the secret of a webhook endpoint. The old secret still signs for a while.";
    const NEEDS: Permission = Permission::WriteWebhooks;
    const PAST: Option<&'static str> = Some("rotated");

    async fn run(
        work: &Work<'_>,
        endpoint: WebhookEndpoint,
        Overlap { overlap_hours }: Overlap,
    ) -> Result<Done<WebhookEndpoint, Nothing>, Failure> {
        if !(0..=MAX_OVERLAP).contains(&overlap_hours) {
            let message = format!("This must be between 0 and {MAX_OVERLAP}.");
            return Err(Failure::user(ErrorCode::Invalid, "overlapHours", message));
        }
        let (now, id) = (work.now(), endpoint.id.uuid());
        let until = now + TimeDelta::hours(overlap_hours.into());
        if until > now && store::count_secrets(work.tx(), id, now).await? >= MAX_SECRETS {
            let message =
                format!("{MAX_SECRETS} secrets sign already: wait for one to expire, or give no overlap.");
            return Err(Failure::user(ErrorCode::LimitReached, "overlapHours", message));
        }
        store::rotate(work.tx(), id, Secret::random(), until).await?;
        Ok(Done::with(endpoint))
    }
}

/// Sends an endpoint an event of its own.
pub(crate) struct Ping;

impl Act for Ping {
    type Row = WebhookEndpoint;
    type Input = Nothing;
    type Further = Nothing;
    const NAME: &'static str = "pingWebhookEndpoint";
    const ABOUT: &'static str = "Sends a webhook endpoint the event `webhook_endpoint.pinged`, whatever its \
        `eventKinds`. `webhookDeliveries` has the result.";
    const NEEDS: Permission = Permission::WriteWebhooks;
    const PAST: Option<&'static str> = Some(super::PINGED.1);

    async fn run(
        _: &Work<'_>,
        endpoint: WebhookEndpoint,
        _: Nothing,
    ) -> Result<Done<WebhookEndpoint, Nothing>, Failure> {
        if endpoint.active { Ok(Done::with(endpoint)) } else { Err(inactive("The endpoint is not active.")) }
    }
}

/// Makes a delivery again.
pub(crate) struct ReplayDelivery;

impl Act for ReplayDelivery {
    type Row = WebhookDelivery;
    type Input = Nothing;
    type Further = Nothing;
    const NAME: &'static str = "replayWebhookDelivery";
    const ABOUT: &'static str = "Makes a delivery at once, whether it has failed, was delivered or waits for \
        its next attempt. The receiver gets the same event with the same id, possibly after later ones.";
    const NEEDS: Permission = Permission::WriteWebhooks;
    const PAST: Option<&'static str> = None;

    async fn run(
        work: &Work<'_>,
        delivery: WebhookDelivery,
        _: Nothing,
    ) -> Result<Done<WebhookDelivery, Nothing>, Failure> {
        let endpoint = work.find::<WebhookEndpoint>(delivery.endpoint_id.uuid()).await?;
        if !endpoint.is_some_and(|endpoint| endpoint.active) {
            return Err(inactive("Its endpoint is not active, or was deleted."));
        }
        if !store::replay(work.tx(), delivery.id.uuid()).await? {
            let message = "An attempt is in progress.";
            return Err(Failure::user(ErrorCode::InvalidTransition, "id", message));
        }
        work.tx().announce();
        let replayed = work.find(delivery.id.uuid()).await?;
        replayed.map(Done::with).ok_or_else(|| Failure::internal("a delivery is gone that the write holds"))
    }
}

fn inactive(message: &str) -> Failure {
    let error = UserError::new(ErrorCode::InvalidTransition, "id", message);
    Failure::User(vec![error.with_details(json!({ "from": "INACTIVE", "allowed": ["ACTIVE"] }))])
}
