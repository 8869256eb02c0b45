use async_graphql::{Context, InputObject, Object, Result};
use chrono::TimeDelta;
use listing::{GivenId, Payload, Verb, find_live_in, scope};
use serde_json::json;
use tenancy::{ErrorCode, Event, Failure, Permission, Scope};

use super::{PINGED, Secret, WebhookDelivery, WebhookEndpoint, store};
use crate::Replay;

/// The longest overlap of two secrets, in hours.
const MAX_OVERLAP: i32 = 7 * 24;

/// How many secrets of an endpoint may sign at once: all signatures share one header.
const MAX_SECRETS: i64 = 5;

/// Input of `rotateWebhookEndpoint`.
#[derive(InputObject)]
struct RotateWebhookEndpointInput {
    /// The id of the endpoint.
    id: GivenId<WebhookEndpoint>,
    /// For how many hours the old secret signs as well, so that receivers have time to adopt the new
    /// one; at most 168.
    #[graphql(default = 24)]
    overlap_hours: i32,
}

/// Input of `pingWebhookEndpoint`.
#[derive(InputObject)]
struct PingWebhookEndpointInput {
    /// The id of the endpoint.
    id: GivenId<WebhookEndpoint>,
}

/// Input of `replayWebhookDelivery`.
#[derive(InputObject)]
struct ReplayWebhookDeliveryInput {
    /// The id of the delivery.
    id: GivenId<WebhookDelivery>,
}

struct Rotate;
struct Ping;

impl Verb for Rotate {
    const NAME: &'static str = "Rotate";
    const FIELD: &'static str = "rotate";
}
impl Verb for Ping {
    const NAME: &'static str = "Ping";
    const FIELD: &'static str = "ping";
}

#[derive(Default)]
pub(crate) struct WebhookMutation;

#[Object]
impl WebhookMutation {
    /// Gives a webhook endpoint a new secret; the old one keeps signing for `overlapHours`.
    async fn rotate_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint and the overlap.")] input: RotateWebhookEndpointInput,
    ) -> Result<Payload<Rotate, WebhookEndpoint>> {
        Ok(Payload::of(rotate(scope(ctx)?, input).await)?)
    }

    /// Sends a test event, `webhook_endpoint.pinged`, to a webhook endpoint, whatever its
    /// `eventKinds` are. `webhookDeliveries` shows the result.
    async fn ping_webhook_endpoint(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The endpoint.")] input: PingWebhookEndpointInput,
    ) -> Result<Payload<Ping, WebhookEndpoint>> {
        Ok(Payload::of(ping(scope(ctx)?, input).await)?)
    }

    /// Attempts a delivery at once, whether it failed, succeeded or waits for a retry. The receiver gets
    /// the same event with the same id, possibly after later events.
    async fn replay_webhook_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The delivery.")] input: ReplayWebhookDeliveryInput,
    ) -> Result<Payload<Replay, WebhookDelivery>> {
        Ok(Payload::of(replay(scope(ctx)?, input).await)?)
    }
}

async fn rotate(scope: &Scope, input: RotateWebhookEndpointInput) -> Result<WebhookEndpoint, Failure> {
    scope.require(Permission::WriteWebhooks)?;
    let id = input.id.uuid("id")?;
    if !(0..=MAX_OVERLAP).contains(&input.overlap_hours) {
        let message = format!("This must be between 0 and {MAX_OVERLAP}.");
        return Err(Failure::user(ErrorCode::Invalid, "overlapHours", message));
    }
    let now = scope.clock().now();
    let until = now + TimeDelta::hours(input.overlap_hours.into());
    let rotated = scope.write(Permission::WriteWebhooks, |tx| async move {
        let endpoint = find_live_in::<WebhookEndpoint>(&tx, id).await?;
        let endpoint = endpoint.ok_or_else(|| Failure::not_found("id"))?;
        if until > now && store::count_secrets(&tx, id, now).await? >= MAX_SECRETS {
            let message =
                format!("{MAX_SECRETS} secrets sign already: wait for one to end, or give no overlap.");
            return Err(Failure::user(ErrorCode::LimitReached, "overlapHours", message));
        }
        store::rotate(&tx, id, Secret::random(), until).await?;
        Ok(endpoint)
    });
    rotated.await
}

async fn ping(scope: &Scope, input: PingWebhookEndpointInput) -> Result<WebhookEndpoint, Failure> {
    scope.require(Permission::WriteWebhooks)?;
    let id = input.id.uuid("id")?;
    let pinged = scope.write(Permission::WriteWebhooks, |tx| async move {
        let endpoint = find_live_in::<WebhookEndpoint>(&tx, id).await?;
        let endpoint = endpoint.ok_or_else(|| Failure::not_found("id"))?;
        if !endpoint.active {
            return Err(Failure::user(ErrorCode::InvalidTransition, "id", "It is switched off."));
        }
        let (entity, verb) = PINGED;
        tx.publish(Event::new(entity, verb, id, json!({})));
        Ok(endpoint)
    });
    pinged.await
}

async fn replay(scope: &Scope, input: ReplayWebhookDeliveryInput) -> Result<WebhookDelivery, Failure> {
    scope.require(Permission::WriteWebhooks)?;
    let id = input.id.uuid("id")?;
    let replayed = scope.write(Permission::WriteWebhooks, |tx| async move {
        let is_replayed = store::replay(&tx, id).await?;
        let delivery = find_live_in::<WebhookDelivery>(&tx, id).await?;
        let delivery = delivery.ok_or_else(|| Failure::not_found("id"))?;
        let endpoint = find_live_in::<WebhookEndpoint>(&tx, delivery.endpoint_id.uuid()).await?;
        if !endpoint.is_some_and(|endpoint| endpoint.active) {
            let message = "Its endpoint is switched off or deleted.";
            return Err(Failure::user(ErrorCode::InvalidTransition, "id", message));
        }
        if !is_replayed {
            return Err(Failure::user(ErrorCode::InvalidTransition, "id", "It is being sent just now."));
        }
        tx.announce();
        Ok(delivery)
    });
    replayed.await
}
