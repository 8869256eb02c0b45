//! What events cost. Three questions, each with something to hold the answer against:
//!
//! - [`publish`]: what does a write pay for saying what it did, beside the same write that says
//!   nothing; and what does that make of the whole mutation ([`mutation`])?
//! - [`listeners`]: what does it take to tell thousands of listeners, in memory and in time, beside
//!   a bare [`broadcast`]?
//! - [`outbox`]: what does it take to make jobs of events and to do them, beside the same statements
//!   sent by [`pgbench`]?
//!
//! Each answer comes from a process of its own ([`mod@task`]), so that none has the memory of another,
//! and its processor time is known.

mod broadcast;
mod cost;
mod flow;
mod ground;
mod listeners;
mod mutation;
mod options;
mod outbox;
mod people;
mod pgbench;
mod publish;
mod report;
mod tally;
mod task;

pub(crate) use flow::run;
pub(crate) use options::EventsOptions;
pub(crate) use task::run as task;
