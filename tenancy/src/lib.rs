//! Sessions, permissions, and the only access to the database.
//!
//! This crate guarantees that no SQL runs without a tenant. The connection pool is private, so other
//! crates can reach PostgreSQL in two ways only: [`Scope::rows`] reads and [`Scope::write`] writes.
//! Both open a transaction and set its organisation before the first statement; row security does the
//! rest. The few statements without a tenant (log-in, creating an organisation) go through a
//! [`SystemDoor`], which the gateway passes to identity and events only.

mod address;
mod clock;
mod connection;
mod constraint;
mod contention;
mod database;
mod event;
mod failure;
mod guard;
mod idempotency;
mod listen;
mod migration;
mod permission;
mod provision;
mod scope;
mod session;
mod session_cache;
mod settings;
mod share;
mod system;
mod tables;
mod transaction;

pub use address::{AddressError, Addresses};
pub use clock::{Clock, ManualClock};
pub use constraint::{CREATED_BY, Constraint};
pub use contention::retried;
pub use database::{Database, Limits, OpenError};
pub use event::Event;
pub use failure::{ErrorCode, Failure, Refusal, UserError};
pub use guard::UnsafeDatabase;
pub use idempotency::{Key, Recall};
pub use migration::{MigrationError, migrate};
pub use permission::{Permission, Role};
pub use provision::{ProvisionError, provision, provision_sql};
pub use scope::{RequestId, Scope};
pub use session::{Grant, Session, UserSession};
pub use settings::Settings;
pub use system::SystemDoor;
pub use transaction::Tx;
