//! An entity without its type: what others need of it, as plain functions.

use async_graphql::{Context, OutputType, ServerResult, Value as GraphQLValue};
use futures_util::{FutureExt, future::BoxFuture};
use tenancy::{Failure, Permission};
use uuid::Uuid;

use crate::{
    Condition, Entity, Loaders,
    csv::export::{self, Export},
    entity::{field, relation},
    field::Shape,
    read::filter::{self, Reading},
    read::page::{Page, at},
    relation::Way,
    scope,
};

/// An entity without its type.
#[derive(Clone, Copy)]
pub struct AnyEntity {
    /// The GraphQL type.
    pub name: &'static str,
    /// What its ids start with.
    pub prefix: &'static str,
    /// The field that holds a list of it.
    pub many: &'static str,
    pub(crate) table: &'static str,
    pub(crate) read: Permission,
    pub(crate) shape: fn(&str) -> Option<Shape>,
    pub(crate) filter: fn(GraphQLValue, &mut Reading) -> Result<Condition, Failure>,
    pub(crate) resolve_one: for<'c> fn(&'c Context<'c>, Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>>,
    pub(crate) resolve_many:
        for<'c> fn(&'c Context<'c>, &'static str, Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>>,
    pub(crate) rows: fn(Export) -> Result<export::Rows, Failure>,
}

/// A relation to one, without the type it starts from.
#[derive(Clone, Copy)]
pub(crate) struct ToOne {
    pub(crate) name: &'static str,
    pub(crate) column: &'static str,
    pub(crate) target: AnyEntity,
}

impl AnyEntity {
    /// This entity without its type.
    pub const fn of<E: Entity>() -> Self {
        Self {
            name: E::NAME,
            prefix: E::PREFIX,
            many: E::MANY,
            table: E::TABLE,
            read: E::READ,
            shape: shape::<E>,
            filter: filter::read::<E>,
            resolve_one: resolve_one::<E>,
            resolve_many: resolve_many::<E>,
            rows: export::rows::<E>,
        }
    }
}

impl AnyEntity {
    /// The lines of an export, some at a time.
    ///
    /// # Errors
    /// FORBIDDEN, and BAD_REQUEST for a filter, an order or columns that cannot be meant.
    pub fn export(&self, export: Export) -> Result<export::Rows, Failure> {
        (self.rows)(export)
    }
}

fn shape<E: Entity>(name: &str) -> Option<Shape> {
    field::<E>(name).map(|field| field.shape)
}

/// The relation to one of that name.
pub(crate) fn to_one<E: Entity>(name: &str) -> Option<ToOne> {
    let relation = relation::<E>(name)?;
    match relation.way {
        Way::One { column, .. } => Some(ToOne { name: relation.name, column, target: relation.target }),
        Way::Many { .. } => None,
    }
}

fn resolve_one<'c, E: Entity>(ctx: &'c Context<'c>, id: Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>> {
    async move {
        let found = async { Loaders::of(ctx)?.one::<E>(scope(ctx)?).load(id).await };
        let found = found.await.map_err(|failure| at(ctx, failure))?;
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        OutputType::resolve(&found, &selection, ctx.item).await
    }
    .boxed()
}

fn resolve_many<'c, E: Entity>(
    ctx: &'c Context<'c>,
    column: &'static str,
    parent: Uuid,
) -> BoxFuture<'c, ServerResult<GraphQLValue>> {
    async move {
        let page = Page::of::<E>(ctx)?;
        let connection =
            async { Loaders::of(ctx)?.children::<E>(scope(ctx)?).load(parent, column, page).await };
        let connection = connection.await.map_err(|failure| at(ctx, failure))?;
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        OutputType::resolve(&connection, &selection, ctx.item).await
    }
    .boxed()
}
