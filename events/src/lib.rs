//! Events: the transactional outbox, live subscriptions, background jobs, mail and webhooks.
//!
//! A write publishes events with [`tenancy::Tx::publish`]; they are committed with the change
//! itself. From there they take two paths. *Live*: every gateway reads new events and sends them to
//! its listeners ([`Events::listen`]); events without a listener are skipped. *Durable*: a
//! dispatcher creates one job for each matching webhook endpoint and [`Subscriber`], and workers
//! run the jobs until they succeed or become dead letters ([`Handlers`]).

mod constraints;
mod dead_letter;
mod dispatch;
mod graphql;
mod live;
pub mod mail;
mod purge;
mod queue;
mod schedule;
mod service;
mod stored_event;
mod tables;
pub mod webhook;

pub use constraints::CONSTRAINTS;
pub use dead_letter::{DeadLetter, DeadLetterState};
pub use dispatch::Subscriber;
pub use graphql::{ENTITIES, mutations, queries};
pub use live::{Listener, Received, Renew, Topic};
pub use queue::{ClaimedJob, Handlers, Job, JobError, enqueue};
pub use schedule::Schedule;
pub use service::{Events, Work};
pub use stored_event::StoredEvent;
pub use webhook::{WebhookDelivery, WebhookEndpoint};
