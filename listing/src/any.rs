//! An entity without its type: a description as plain data, and the two functions that need the type.

use std::fmt;

use async_graphql::{Context, ServerResult, Value as GraphQLValue};
use futures_util::future::BoxFuture;
use tenancy::{Failure, Permission, Scope};
use uuid::Uuid;

use crate::{
    field::{Field, Shape},
    kind::Kind,
    read::selection::ResolverFields,
    sql::{
        condition::{Path, Table},
        order::Via,
        values::Values,
    },
};

/// An entity without its type.
#[derive(Debug)]
pub struct AnyEntity {
    /// The GraphQL type: `Contact`.
    pub name: &'static str,
    /// What its ids start with: `contact`.
    pub prefix: &'static str,
    /// The field that holds one: `contact`.
    pub(crate) one: &'static str,
    /// The field that holds a list: `contacts`.
    pub many: &'static str,
    pub(crate) table: &'static str,
    pub(crate) read: Permission,
    pub(crate) id: Field,
    /// Its own fields, without those that every entity has.
    pub(crate) own: &'static [Field],
    /// The fields that every entity ends with.
    pub(crate) standard: &'static [Field],
    /// The relation at this place. A function, because relations may lead back to the entity.
    pub(crate) relation_at: fn(usize) -> Option<&'static AnyRelation>,
    pub(crate) resolvers: Resolvers,
}

/// What needs the entity's own resolvers, and so its type.
#[derive(Clone, Copy)]
pub(crate) struct Resolvers {
    /// Resolves the row with this id using the current selection; null if it does not exist.
    pub(crate) one: for<'c> fn(&'c Context<'c>, Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>>,
    /// Resolves fields that are neither columns nor relations, for each of these rows.
    pub(crate) fields: ResolveFields,
}

type ResolveFields = for<'r, 'c> fn(
    &'r Context<'c>,
    &'r Scope,
    &'r [Values],
    &'r [ResolverFields<'c>],
) -> BoxFuture<'r, Result<Vec<ResolvedRows>, Failure>>;

/// What resolvers answered for one [`ResolverFields`], row by row and field by field; nothing for
/// what failed, which has been noted.
pub(crate) type ResolvedRows = Vec<Vec<Option<GraphQLValue>>>;

/// A relation without the type it starts from.
#[derive(Debug)]
pub(crate) struct AnyRelation {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) target: &'static AnyEntity,
    pub(crate) way: Way,
    /// What a column of the row that is referred to must hold.
    pub(crate) refers_only_to: Option<(&'static str, &'static str)>,
}

/// How to get to the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Our column holds the id of the one other.
    One { column: &'static str },
    /// Their column holds our id.
    Many { column: &'static str },
}

impl AnyEntity {
    /// Its fields: the id, its own, and those that every entity ends with.
    pub(crate) fn fields(&'static self) -> impl Iterator<Item = &'static Field> {
        std::iter::once(&self.id).chain(self.own).chain(self.standard)
    }

    /// The field of that name.
    pub(crate) fn field(&'static self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.shape.name == name)
    }

    /// What the field of that name holds.
    pub(crate) fn shape(&'static self, name: &str) -> Option<Shape> {
        self.field(name).map(|field| field.shape)
    }

    /// Its relations.
    pub(crate) fn relations(&self) -> impl Iterator<Item = &'static AnyRelation> {
        (0..).map_while(self.relation_at)
    }

    /// The relation of that name.
    pub(crate) fn relation(&self, name: &str) -> Option<&'static AnyRelation> {
        self.relations().find(|relation| relation.name == name)
    }

    /// The relation to one of that name, and how its table is joined.
    pub(crate) fn to_one(&self, name: &str) -> Option<(&'static Self, Via)> {
        let relation = self.relation(name)?;
        Some((relation.target, relation.via()?))
    }

    /// Its relations to one.
    pub(crate) fn relations_to_one(&self) -> impl Iterator<Item = &'static AnyRelation> {
        self.relations().filter(|relation| matches!(relation.way, Way::One { .. }))
    }

    /// The rows that are not deleted.
    pub(crate) fn rows(&self) -> Table {
        Table::live(self.table)
    }

    /// As type names spell several: `Contacts`.
    pub(crate) fn plural(&self) -> String {
        capital(self.many)
    }
}

impl AnyRelation {
    /// How the table of a relation to one is joined.
    pub(crate) fn via(&self) -> Option<Via> {
        let Way::One { .. } = self.way else { return None };
        Some(Via { relation: self.name, target: self.target.name, path: self.path() })
    }

    /// The way to its rows.
    pub(crate) fn path(&self) -> Path {
        let (ours, theirs) = match self.way {
            Way::One { column } => (column, "id"),
            Way::Many { column } => ("id", column),
        };
        Path { table: self.target.rows(), ours, theirs }
    }

    /// The column of a relation to one, as a field that holds an id.
    pub(crate) fn id_shape(&self, column: &'static str) -> Shape {
        Shape { name: self.name, column, kind: Kind::Id(self.target.prefix), nullable: true }
    }
}

impl fmt::Debug for Resolvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolvers")
    }
}

/// With a capital at the front: as types are called.
fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
