//! Lists, written once for every entity.
//!
//! An entity describes itself in one static table ([`Entity::FIELDS`]) and gets from here its
//! query by id, its list in keyset pages, its connections, payloads, ids, deletion and import.
//! Typed at the edge, erased in the middle: SQL is rendered from plain values ([`Condition`],
//! `Page`), so that thirty-five entities do not mean thirty-five copies of compiled queries.

mod aggregate;
mod any;
mod csv;
mod entity;
mod field;
mod kind;
mod outcome;
mod raw;
mod read;
mod registry;
mod relation;
mod root;
mod scalar;
mod sql;
mod value;
mod write;

pub use aggregate::TimeZone;
pub use any::AnyEntity;
pub use csv::export::{Export, Rows};
pub use csv::import::{CsvColumn, CsvRow, ImportInput, MAX_ROWS, RowError};
pub use entity::{Changeable, Editable, Entity, Identified};
pub use field::Field;
pub use kind::Kind;
pub use outcome::Outcome;
pub use read::connection::Connection;
pub use read::filter::Where;
pub use read::json::{Answers, to_json};
pub use read::loaders::{Loaders, OneLoader};
pub use read::node::{NodeQueries, NodeType, NodeTypes};
pub use read::order::{Direction, OrderBy};
pub use read::page::{DEFAULT_PAGE, MAX_PAGE, at};
pub use read::queries::{Queries, find, find_in, find_live_in};
pub use read::related::Related;
pub use read::selection::OBJECT_MARK;
pub use relation::Relation;
pub use root::Root;
pub use scalar::date::Date;
pub use scalar::decimal::Decimal;
pub use scalar::id::{GivenId, Id, text_of as id_text, uuid_of};
pub use scalar::named::{Named, named};
pub use scalar::stored::Stored;
pub use sql::condition::Condition;
pub use sql::statement::{Row, Statement};
pub use value::Value;
pub use write::checks::Checks;
pub use write::draft::Draft;
pub use write::editing::import;
pub use write::lifecycle::{Lifecycle, updated};
pub use write::many::{Many, ManyPayload};
pub use write::mutations::Mutations;
pub use write::payload::{Changed, Create, Delete, Made, Payload, Restore, Update, Verb};
pub use write::rule::{Part, Rule};

use async_graphql::Context;
use tenancy::{Failure, Scope};

/// The scope that the gateway put into this request.
///
/// # Errors
/// A fault of ours if it did not.
pub fn scope<'c>(ctx: &Context<'c>) -> Result<&'c Scope, Failure> {
    ctx.data::<Scope>().map_err(|error| Failure::internal(error.message))
}
