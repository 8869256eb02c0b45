//! Who is asking, for which organisation, and the only door to the database.
//!
//! The promise of this crate: no SQL without a tenant. The pool is private, so a repository can
//! reach PostgreSQL in two ways only: [`Scope::rows`] reads, [`Scope::write`] changes. Both open
//! their own transaction and tell PostgreSQL whose it is before the first statement; row security
//! does the rest. The few statements that belong to no tenant (log-in, making an organisation) go
//! through a [`SystemDoor`], which the gateway hands to identity and events
//! alone.

mod address;
mod clock;
mod connection;
mod constraint;
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
mod share;
mod system;
mod tables;
mod transaction;

pub use address::{AddressError, Addresses};
pub use clock::{Clock, ManualClock};
pub use constraint::{CREATED_BY, Constraint};
pub use database::{Database, Limits, OpenError};
pub use event::Event;
pub use failure::{ErrorCode, Failure, Refusal, UserError};
pub use guard::UnsafeDatabase;
pub use idempotency::{Key, Recall};
pub use migration::{MigrationError, migrate};
pub use permission::{Permission, Role};
pub use provision::{ProvisionError, provision, provision_sql};
pub use scope::{RequestId, Scope};
pub use session::{Session, UserSession};
pub use system::SystemDoor;
pub use transaction::Tx;
