//! Lists, written once for every entity.
//!
//! An entity describes itself in one static table ([`Entity::FIELDS`]) and gets from here its
//! query by id, its list in keyset pages, its connections, payloads, ids, deletion and import.
//! Typed at the edge, erased in the middle: SQL is rendered from plain values ([`Condition`],
//! `Page`), so that thirty-five entities do not mean thirty-five copies of compiled queries.

mod aggregate;
mod any;
mod checks;
mod context;
mod csv;
mod draft;
mod email;
mod entity;
mod field;
mod kind;
mod life;
mod limits;
mod macros;
mod members;
mod offer;
mod outcome;
mod read;
mod registry;
mod root;
mod rule;
mod scalar;
mod sql;
mod tidy;
mod typed;
mod value;
mod write;

pub use any::{AnyEntity, ColumnRelation};
pub use checks::Checks;
pub use context::{at, scope};
pub use csv::export::{Export, Rows};
pub use csv::import::{CsvColumn, CsvRow, ImportInput, RowError};
pub use draft::Draft;
pub use email::email_address;
pub use entity::{Entity, Relation};
pub use field::{Field, IdColumn};
pub use kind::{Kind, PartField};
pub use life::Life;
pub use limits::{DEFAULT_PAGE, MAX_PAGE, MAX_ROWS};
pub use members::{Members, Merged, RootType};
pub use offer::Offer;
pub use outcome::Outcome;
pub use read::deleted::Deleted;
pub use read::json::{ResponseBudget, to_json};
pub use read::loaders::Loaders;
pub use read::node::{NodeQueries, NodeType, NodeTypes};
pub use read::queries::Queries;
pub use read::related::Related;
pub use read::search_queries::{SearchQueries, SearchedTypes};
pub use read::selection::OBJECT_MARK;
pub use registry::{
    directives::{length, semantic_non_null},
    finish::Finish,
};
pub use root::Root;
pub use rule::{Part, Rule};
pub use scalar::date::Date;
pub use scalar::decimal::Decimal;
pub use scalar::id::{GivenId, Id, Identified, text_of as id_text, uuid_of};
pub use scalar::instant::Instant;
pub use scalar::long::Long;
pub use scalar::named::{Named, named};
pub use scalar::stored::Stored;
pub use scalar::time_zone::TimeZone;
pub use sql::condition::{Comparison, Condition, SeenBy, Sight, Term};
pub use sql::order::Direction;
pub use sql::seen::Seen;
pub use sql::statement::{Row, Statement};
pub use tidy::tidy;
pub use typed::{entity, find};
pub use value::Value;
pub use write::act::{Act, ActMutation, Done, Steps};
pub use write::bulk::import;
pub use write::editable::Editable;
pub use write::many::Many;
pub use write::mutations::Mutations;
pub use write::payload::Nothing;
pub use write::work::{Changes, Work};
