//! Webhooks: events as HTTP requests to URLs that an organisation registers, signed as the Standard
//! Webhooks specification defines.
//!
//! The dispatcher creates a delivery and a job for every endpoint that matches an event; the job makes
//! one attempt and records the result. [`check_url`] validates URLs, [`Secret`] signs, and [`Sender`]
//! makes one attempt; these depend on neither the database nor the queue.

mod acts;
mod attempt;
mod deliver;
mod delivery;
mod endpoint;
mod guard;
mod resolve;
mod secret;
mod send;
mod signature;
mod state;
mod store;

pub(crate) use acts::{Ping, ReplayDelivery, Rotate};
pub use attempt::{Attempt, MAX_RETRY_AFTER, Outcome, RESPONSE_KEPT};
pub(crate) use deliver::deliver;
pub use delivery::WebhookDelivery;
pub use endpoint::{EventKinds, WebhookEndpoint};
pub use guard::{MAX_URL, Reach, UrlError, check_url, is_public};
pub use send::{ATTEMPT_TIMEOUT, CONNECT_TIMEOUT, MAX_RESPONSE, Request, Sender, Timeouts};
pub use signature::{Secret, SecretError, sign};

use secret::WebhookSecret;
use state::DeliveryState;

/// The kind of webhook jobs.
pub(crate) const DELIVER: &str = "webhook";
/// The test event, which is sent only to the endpoint it is about, whatever its `eventKinds`.
const PINGED: (&str, &str) = ("webhook_endpoint", "pinged");
