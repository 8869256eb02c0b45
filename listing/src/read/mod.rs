//! Lists: filtered, ordered, page by page, and what belongs to their rows.

pub(crate) mod connection;
pub(crate) mod cursor;
pub(crate) mod deleted;
pub(crate) mod filter;
pub(crate) mod find;
pub(crate) mod json;
pub(crate) mod loaders;
pub(crate) mod node;
pub(crate) mod operator;
pub(crate) mod order;
pub(crate) mod page;
pub(crate) mod plan;
pub(crate) mod queries;
pub(crate) mod reading;
pub(crate) mod related;
pub(crate) mod resolver_fields;
pub(crate) mod search;
pub(crate) mod search_queries;
pub(crate) mod selection;
