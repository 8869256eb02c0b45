//! The gateway: merges the domains into one schema and serves it over HTTP.
//!
//! The only crate that depends on axum. The binary, the service tests and the benchmarks use it as a
//! library.

pub mod cluster;
pub mod command;
pub mod configuration;
mod demo;
mod documents;
mod errors;
mod explorer;
mod http;
mod logging;
mod run;
mod schema;
mod service;

pub use run::provisioned;
pub use schema::{Mutation, Query, Schema, SchemaOf, build, entities, model, model_of, sdl, sdl_of};
pub use service::{CONSTRAINTS, OpenError, Service, renew};
