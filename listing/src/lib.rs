//! Lists, written once for every entity.
//!
//! An entity describes itself in one static table ([`Entity::FIELDS`]) and gets from here its
//! query by id, its list in keyset pages, its connections, payloads, ids, deletion and import.
//! Typed at the edge, erased in the middle: SQL is rendered from plain values ([`Condition`],
//! [`Page`]), so that thirty-five entities do not mean thirty-five copies of compiled queries.

mod aggregate;
mod any;
mod checks;
mod condition;
mod connection;
mod cursor;
mod date;
mod decimal;
mod draft;
mod editing;
mod entity;
mod export;
mod field;
mod filter;
mod id;
mod import;
mod keyset;
mod kind;
mod lifecycle;
mod list;
mod loaders;
mod many;
mod mutations;
mod named;
mod node;
mod operator;
mod order;
mod page;
mod payload;
mod queries;
mod raw;
mod references;
mod registry;
mod related;
mod relation;
mod rows;
mod rule;
mod select;
mod selection;
mod statement;
mod stored;
mod value;
mod values;
mod writing;

pub use aggregate::TimeZone;
pub use any::AnyEntity;
pub use checks::Checks;
pub use condition::Condition;
pub use connection::Connection;
pub use date::Date;
pub use decimal::Decimal;
pub use draft::Draft;
pub use editing::import;
pub use entity::{Changeable, Editable, Entity, Identified};
pub use export::{Export, Rows};
pub use field::Field;
pub use filter::Where;
pub use id::{GivenId, Id, uuid_of};
pub use import::{CsvColumn, CsvRow, ImportInput, MAX_ROWS, RowError};
pub use kind::Kind;
pub use lifecycle::{Lifecycle, updated};
pub use loaders::{Loaders, OneLoader};
pub use many::{Many, ManyPayload};
pub use mutations::Mutations;
pub use named::{Named, named};
pub use node::{NodeQueries, NodeType, NodeTypes};
pub use order::{Direction, OrderBy};
pub use page::{DEFAULT_PAGE, MAX_PAGE, at};
pub use payload::{Changed, Create, Delete, Made, Payload, Restore, Update, Verb};
pub use queries::{Queries, find, find_in, find_live_in};
pub use related::Related;
pub use relation::Relation;
pub use rule::{Part, Rule};
pub use statement::{Row, Statement};
pub use stored::Stored;
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
