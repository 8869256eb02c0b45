use async_graphql::MergedObject;
use listing::{AnyEntity, Lifecycle, Mutations, Queries, Verb, entity};

use crate::{
    DeadLetter, WebhookDelivery, WebhookEndpoint, dead_letter::DeadLetterMutation, webhook::WebhookMutation,
};

/// The entities of this crate.
pub const ENTITIES: &[&AnyEntity] =
    &[entity::<WebhookEndpoint>(), entity::<WebhookDelivery>(), entity::<DeadLetter>()];

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

/// Does again what was given up, or done.
pub(crate) struct Replay;

impl Verb for Replay {
    const NAME: &'static str = "Replay";
    const FIELD: &'static str = "replay";
}
