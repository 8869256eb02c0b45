use async_graphql::SimpleObject;
use diesel::prelude::*;
use listing::Instant;

/// A secret that signs the requests to a webhook endpoint.
#[derive(Queryable, SimpleObject, Clone)]
pub(crate) struct WebhookSecret {
    /// The secret in the format of Standard Webhooks libraries: `whsec_…`.
    pub(crate) secret: String,
    /// When the secret was created.
    created_at: Instant,
    /// When a rotated secret stops signing; null for the current secret.
    expires_at: Option<Instant>,
}
