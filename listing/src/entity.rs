use async_graphql::{ContainerType, OutputType};
use tenancy::Permission;
use uuid::Uuid;

use crate::{any::AnyRelation, field::Field, scalar::id::Identified, sql::statement::Row};

/// What clients see of a tenant table: a row with an id, a revision and a life.
pub trait Entity: Identified + Row + ContainerType + OutputType + Clone {
    /// The field that holds one: `contact`.
    const ONE: &'static str;
    /// The field that holds a list: `contacts`.
    const MANY: &'static str;
    /// The table, and nothing but letters and underscores: `contacts`.
    const TABLE: &'static str;
    /// What a client must hold to read it.
    const READ: Permission;
    /// Its own fields, as lists, mutations, imports and exports know them. Every entity also has `id`,
    /// `createdAt`, `updatedAt`, `revision` and `deletedAt`.
    const FIELDS: &'static [Field];
    /// What it is related to.
    const RELATIONS: &'static [Relation<Self>];

    /// The id.
    fn id(&self) -> Uuid;
}

/// What an entity is related to: a field of its GraphQL object, of its filters, orders and groups.
pub struct Relation<E> {
    pub(crate) erased: AnyRelation,
    /// The id by which the other side is found; absent if there is none.
    pub(crate) key: fn(&E) -> Option<Uuid>,
}
