//! Webhooks: events as HTTP requests to addresses that an organisation names (VOW-25, PLAT-38),
//! signed after the Standard Webhooks specification.
//!
//! The dispatcher makes a delivery, and a job of the queue, for every endpoint that wants to know of
//! an event; the job makes one attempt and writes down what became of it. [`check_url`] says which
//! addresses may be named, [`Secret`] signs, and [`Sender`] makes one attempt; these know neither
//! database nor queue.

mod attempt;
mod deliver;
mod delivery;
mod endpoint;
mod graphql;
mod guard;
mod resolve;
mod send;
mod signature;
mod store;

pub use attempt::{Attempt, MAX_RETRY_AFTER, Outcome, RESPONSE_KEPT};
pub(crate) use deliver::deliver;
pub use delivery::WebhookDelivery;
pub use endpoint::WebhookEndpoint;
pub(crate) use graphql::WebhookMutation;
pub use guard::{MAX_URL, Reach, UrlError, check_url, is_public};
pub use send::{ATTEMPT_TIMEOUT, CONNECT_TIMEOUT, MAX_RESPONSE, Request, Sender, Timeouts};
pub use signature::{Secret, SecretError, sign};

/// The kind of the jobs that deliver.
pub(crate) const DELIVER: &str = "webhook";
/// The event that only the endpoint it is about is told of, whatever else that wants to know.
const PINGED: (&str, &str) = ("webhook_endpoint", "pinged");
