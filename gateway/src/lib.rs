//! The gateway: one schema of all domains, served over HTTP.
//!
//! The only crate that knows axum. As a library it is what the binary, the service tests and the
//! benchmarks start.

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
pub use schema::{Schema, model, sdl};
pub use service::{CONSTRAINTS, OpenError, Service, renew};
