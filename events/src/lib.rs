//! What happened, and who hears of it: the outbox, live fan-out, background jobs, mail and webhooks.

// async-graphql nests the futures of all resolvers in one type.
#![recursion_limit = "256"]

pub mod mail;
mod tables; // PROVISIONAL, to be dropped
mod webhook;
