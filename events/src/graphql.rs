use listing::{ActMutation, AnyEntity, Members, Mutations, Queries, entity};

use crate::{
    DeadLetter, WebhookDelivery, WebhookEndpoint,
    dead_letter::{DismissLetter, ReplayLetter},
    webhook::{Ping, ReplayDelivery, Rotate},
};

/// The entities of this crate.
pub const ENTITIES: &[&AnyEntity] =
    &[entity::<WebhookEndpoint>(), entity::<WebhookDelivery>(), entity::<DeadLetter>()];

/// The queries of this crate.
pub fn queries() -> Members {
    Members::default()
        .with(Queries::<WebhookEndpoint>::default())
        .with(Queries::<WebhookDelivery>::default())
        .with(Queries::<DeadLetter>::default())
}

/// The mutations of this crate.
pub fn mutations() -> Members {
    Members::default()
        .with(Mutations::<WebhookEndpoint>::default())
        .with(ActMutation::<Rotate>::default())
        .with(ActMutation::<Ping>::default())
        .with(ActMutation::<ReplayDelivery>::default())
        .with(ActMutation::<ReplayLetter>::default())
        .with(ActMutation::<DismissLetter>::default())
}
