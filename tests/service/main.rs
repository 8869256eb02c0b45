//! Service tests: every one goes through the real server and a real PostgreSQL, and makes an
//! organisation of its own.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test may stop where it stands, and reads the clock and the environment"
)]

mod aggregates;
mod architecture;
mod catalogue;
mod clients;
mod cluster;
mod contacts;
mod door;
mod events;
mod export;
mod harness;
mod http;
mod identity;
mod import;
mod isolation;
mod layers;
mod lists;
mod mail;
mod many;
mod nodes;
mod northwind;
mod paging;
mod permissions;
mod products;
mod provisioning;
mod requests;
mod run;
mod schema;
mod search;
mod sight;
mod steps;
