use listing::{AnyEntity, Lifecycle, Members, Mutations, Queries, Verb, entity};

use crate::{
    DeadLetter, WebhookDelivery, WebhookEndpoint, dead_letter::DeadLetterMutation, webhook::WebhookMutation,
};

/// The entities of this crate.
pub const ENTITIES: &[&AnyEntity] =
    &[entity::<WebhookEndpoint>(), entity::<WebhookDelivery>(), entity::<DeadLetter>()];

/// Queries of this crate.
pub fn queries() -> Members {
    Members::default()
        .with(Queries::<WebhookEndpoint>::default())
        .with(Queries::<WebhookDelivery>::default())
        .with(Queries::<DeadLetter>::default())
}

/// Mutations of this crate.
pub fn mutations() -> Members {
    Members::default()
        .with(Mutations::<WebhookEndpoint>::default())
        .with(WebhookMutation)
        .with(Lifecycle::<DeadLetter>::default())
        .with(DeadLetterMutation)
}

/// The verb of payloads: runs a dead letter or a delivery again.
pub(crate) struct Replay;

impl Verb for Replay {
    const NAME: &'static str = "Replay";
    const FIELD: &'static str = "replay";
}
