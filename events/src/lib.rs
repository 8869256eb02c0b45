//! What happened, and who hears of it: the outbox, live fan-out, background jobs, mail and webhooks.
//!
//! A write publishes events with [`tenancy::Tx::publish`]; they are committed with the change
//! itself. From there they go two ways. *Live*: every gateway reads what is new and tells those who
//! listen ([`Events::listen`]); nothing is kept for those who do not. *Durably*: a dispatcher makes
//! one job for each webhook and each part of the service that wants to know, and workers do jobs
//! until they succeed or are given up ([`Handlers`]).

// async-graphql nests the futures of all resolvers in one type.
#![recursion_limit = "256"]

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
pub use dead_letter::DeadLetter;
pub use dispatch::Subscriber;
pub(crate) use graphql::Replay;
pub use graphql::{ENTITIES, EventsMutation, EventsQuery};
pub use live::{Listener, Received, Renew, Topic};
pub use queue::{ClaimedJob, Handlers, Job, JobError, enqueue};
pub use schedule::Schedule;
pub use service::{Events, Work};
pub use stored_event::StoredEvent;
pub use webhook::{WebhookDelivery, WebhookEndpoint};
