use listing::{AnyEntity, Members, Queries, entity};

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
        .mutations::<WebhookEndpoint>()
        .act::<Rotate>()
        .act::<Ping>()
        .act::<ReplayDelivery>()
        .act::<ReplayLetter>()
        .act::<DismissLetter>()
}
