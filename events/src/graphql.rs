use async_graphql::MergedObject;
use listing::{AnyEntity, Lifecycle, Mutations, Queries, Verb};

use crate::{
    DeadLetter, WebhookDelivery, WebhookEndpoint, dead_letter::DeadLetterMutation, webhook::WebhookMutation,
};

/// The entities of this crate.
pub const ENTITIES: &[AnyEntity] =
    &[AnyEntity::of::<WebhookEndpoint>(), AnyEntity::of::<WebhookDelivery>(), AnyEntity::of::<DeadLetter>()];

/// Queries of this crate.
#[derive(MergedObject, Default)]
pub struct EventsQuery(Queries<WebhookEndpoint>, Queries<WebhookDelivery>, Queries<DeadLetter>);

/// Mutations of this crate.
#[derive(MergedObject, Default)]
pub struct EventsMutation(
    Mutations<WebhookEndpoint>,
    WebhookMutation,
    Lifecycle<DeadLetter>,
    DeadLetterMutation,
);

/// The verb of payloads: runs a dead letter or a delivery again.
pub(crate) struct Replay;

impl Verb for Replay {
    const NAME: &'static str = "Replay";
    const FIELD: &'static str = "replay";
}
