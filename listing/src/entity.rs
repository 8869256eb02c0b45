use async_graphql::OutputType;
use diesel::Column;
use tenancy::Permission;
use uuid::Uuid;

use crate::{
    Value,
    statement::Row,
    value::{ColumnKind, Kind},
};

/// What has an id.
pub trait Identified: Send + Sync + 'static {
    /// The GraphQL type: `Contact`.
    const NAME: &'static str;
    /// What the ids of this type start with: `contact`.
    const PREFIX: &'static str;
}

/// What clients see of a tenant table: a row with an id, a revision and a life.
pub trait Entity: Identified + Row + OutputType + Clone {
    /// The field that holds one: `contact`.
    const ONE: &'static str;
    /// The field that holds a list: `contacts`.
    const MANY: &'static str;
    /// The table, and nothing but letters and underscores: `contacts`.
    const TABLE: &'static str;
    /// What a client must hold to read it.
    const READ: Permission;
    /// Its fields, as lists know them.
    const FIELDS: &'static [Field<Self>];

    /// The id.
    fn id(&self) -> Uuid;
}

/// An entity that clients may change.
pub trait Changeable: Entity {
    /// What a client must hold to change it.
    const WRITE: Permission;
}

/// One field of an entity, as lists know it.
pub struct Field<E> {
    pub(crate) name: &'static str,
    pub(crate) column: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    pub(crate) about: &'static str,
    pub(crate) value: fn(&E) -> Value,
}

impl<E> Field<E> {
    /// The field `name`, stored in this column.
    pub const fn new<C>(name: &'static str, _: C, about: &'static str, value: fn(&E) -> Value) -> Self
    where
        C: Column + Copy,
        C::SqlType: ColumnKind,
    {
        Self { name, column: C::NAME, kind: C::SqlType::KIND, nullable: C::SqlType::NULLABLE, about, value }
    }
}
