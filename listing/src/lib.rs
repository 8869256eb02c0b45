//! Lists, written once for every entity.
//!
//! An entity describes itself in one static table ([`Entity::FIELDS`]) and gets from here its
//! query by id, its list in keyset pages, its connections, payloads, ids, deletion and import.
//! Typed at the edge, erased in the middle: SQL is rendered from plain values ([`Condition`],
//! [`Page`]), so that thirty-five entities do not mean thirty-five copies of compiled queries.

mod checks;
mod condition;
mod connection;
mod cursor;
mod entity;
mod id;
mod import;
mod lifecycle;
mod named;
mod order;
mod page;
mod payload;
mod queries;
mod registry;
mod relation;
mod statement;
mod value;

pub use checks::Checks;
pub use condition::Condition;
pub use connection::Connection;
pub use entity::{Changeable, Entity, Field, Identified};
pub use id::{GivenId, Id, uuid_of};

pub use import::{CsvColumn, CsvRow, CsvSheet, ImportPayload, MAX_ROWS, RowError};
pub use lifecycle::{DeletedState, Lifecycle, updated};
pub use named::{Named, named};
pub use order::{Direction, OrderBy};
pub use page::{DEFAULT_PAGE, MAX_PAGE, Page, PageArguments};
pub use payload::{Changed, Create, Delete, Made, Payload, Restore, Update, Verb, key};
pub use queries::{Queries, find, find_in, find_live_in, page};
pub use relation::{Children, ChildrenLoader, OneLoader, Relation};
pub use statement::Row;
pub use value::Value;

use async_graphql::Context;
use tenancy::{Failure, Scope};

/// The scope that the gateway put into this request.
///
/// # Errors
/// A fault of ours if it did not.
pub fn scope<'c>(ctx: &Context<'c>) -> Result<&'c Scope, Failure> {
    ctx.data::<Scope>().map_err(|error| Failure::internal(error.message))
}
