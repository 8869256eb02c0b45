use async_graphql::SimpleObject;

use diesel::prelude::*;
use listing::{Entity, Field, Id, Identified, Instant, Life, Named, Relation, Sight};
use tenancy::{Permission, Session};
use uuid::Uuid;

use super::{DeliveryState, WebhookEndpoint};
use crate::{StoredEvent, tables::webhook_deliveries};

/// The delivery of one event to one webhook endpoint. Kept for 30 days.
#[derive(Queryable, Selectable, SimpleObject, Clone, Debug)]
#[diesel(table_name = webhook_deliveries)]
#[graphql(complex)]
pub struct WebhookDelivery {
    /// The id of the delivery.
    pub id: Id<WebhookDelivery>,
    #[graphql(skip)]
    pub(crate) endpoint_id: Id<WebhookEndpoint>,
    #[graphql(skip)]
    pub(crate) event_id: Uuid,
    /// The kind of event: `contact.created`.
    pub(crate) event_kind: String,
    /// The state of the delivery.
    pub(crate) state: Named<DeliveryState>,
    /// The number of attempts.
    pub(crate) attempts: i32,
    /// When the last attempt was made.
    pub(crate) last_attempt_at: Option<Instant>,
    /// When the next attempt is made, after a failure; `replayWebhookDelivery` makes it at once.
    pub(crate) next_attempt_at: Option<Instant>,
    /// The HTTP status of the last response.
    pub(crate) response_status: Option<i32>,
    /// The start of the last response body.
    pub(crate) response_body: Option<String>,
    /// The error of the last attempt; null once delivered.
    pub(crate) error: Option<String>,
    /// The duration of the last attempt, in milliseconds.
    pub(crate) duration_ms: Option<i32>,
    /// When the delivery was created.
    pub created_at: Instant,
    /// When the delivery was last attempted or replayed.
    pub updated_at: Instant,
    /// The revision number, which every change increments.
    pub revision: i32,
}

listing::related!(WebhookDelivery {
    /// The id of the event, sent as `webhook-id`: the same for every attempt and every endpoint.
    async fn webhook_id(&self) -> String {
        listing::id_text(StoredEvent::PREFIX, self.event_id)
    }
});

impl Identified for WebhookDelivery {
    const NAME: &'static str = "WebhookDelivery";
    const PREFIX: &'static str = "webhook_delivery";
}

impl Entity for WebhookDelivery {
    const ONE: &'static str = "webhookDelivery";
    const MANY: &'static str = "webhookDeliveries";
    const TABLE: &'static str = "webhook_deliveries";
    const LIFE: Life = Life::Kept;
    const READ: &'static [Permission] = &[Permission::ReadWebhooks];
    const FIELDS: &'static [Field] = &[
        Field::id::<WebhookEndpoint, _>("endpointId", webhook_deliveries::endpoint_id),
        Field::new("eventKind", webhook_deliveries::event_kind),
        Field::choice::<DeliveryState, _>("state", webhook_deliveries::state),
        Field::new("attempts", webhook_deliveries::attempts),
        Field::new("lastAttemptAt", webhook_deliveries::last_attempt_at),
        Field::new("nextAttemptAt", webhook_deliveries::next_attempt_at),
        Field::new("responseStatus", webhook_deliveries::response_status).unmeasured(),
        Field::new("responseBody", webhook_deliveries::response_body),
        Field::new("error", webhook_deliveries::error),
        Field::new("durationMs", webhook_deliveries::duration_ms),
    ];
    const RELATIONS: &'static [Relation<Self>] = &[Relation::one::<WebhookEndpoint, _>(
        "endpoint",
        webhook_deliveries::endpoint_id,
        |it: &Self| Some(it.endpoint_id.uuid()),
        "The endpoint; null once it is deleted.",
    )];

    fn sight(_: &Session) -> Sight {
        Sight::All
    }

    fn id(&self) -> Uuid {
        self.id.uuid()
    }

    fn revision(&self) -> i32 {
        self.revision
    }
}
