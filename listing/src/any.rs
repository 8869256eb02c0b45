//! An entity without its type: what others need of it, as plain functions.

use async_graphql::{Context, OutputType, ServerResult, Value as GraphQLValue};
use futures_util::{FutureExt, future::BoxFuture};
use tenancy::{Failure, Permission, Scope};
use uuid::Uuid;

use crate::{
    Condition, Entity, Loaders,
    csv::export::{self, Export},
    entity::{field, relation},
    field::Shape,
    read::{
        connection,
        filter::{self, Reading},
        json::Answers,
        order::Via,
        page::{Page, at},
    },
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
    pub(crate) relation: fn(&str) -> Option<AnyRelation>,
    pub(crate) page: fn(&Context<'_>, &Scope) -> Result<Page, Failure>,
    pub(crate) filter: fn(GraphQLValue, &mut Reading) -> Result<Condition, Failure>,
    pub(crate) resolve_one: for<'c> fn(&'c Context<'c>, Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>>,
    pub(crate) resolve_many:
        for<'c> fn(&'c Context<'c>, &'static str, Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>>,
    pub(crate) rows: fn(Export) -> Result<export::Rows, Failure>,
}

/// A relation without the type it starts from.
#[derive(Clone, Copy)]
pub(crate) struct AnyRelation {
    pub(crate) name: &'static str,
    pub(crate) target: AnyEntity,
    pub(crate) way: AnyWay,
}

/// How to get to the other side, in columns alone.
#[derive(Clone, Copy)]
pub(crate) enum AnyWay {
    /// Our column holds the id of the one other.
    One { column: &'static str },
    /// Their column holds our id.
    Many { column: &'static str },
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
            relation: any_relation::<E>,
            page: Page::of::<E>,
            filter: filter::read::<E>,
            resolve_one: resolve_one::<E>,
            resolve_many: resolve_many::<E>,
            rows: export::rows::<E>,
        }
    }

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

fn any_relation<E: Entity>(name: &str) -> Option<AnyRelation> {
    let relation = relation::<E>(name)?;
    let way = match relation.way {
        Way::One { column, .. } => AnyWay::One { column },
        Way::Many { column } => AnyWay::Many { column },
    };
    Some(AnyRelation { name: relation.name, target: relation.target, way })
}

/// The relation to one of that name: to what, and what its table is joined by.
pub(crate) fn to_one<E: Entity>(name: &str) -> Option<(AnyEntity, Via)> {
    let AnyRelation { name, target, way } = any_relation::<E>(name)?;
    match way {
        AnyWay::One { column } => Some((target, Via::new(name, column, target))),
        AnyWay::Many { .. } => None,
    }
}

fn resolve_one<'c, E: Entity>(ctx: &'c Context<'c>, id: Uuid) -> BoxFuture<'c, ServerResult<GraphQLValue>> {
    async move {
        let found = async {
            let answers = Answers::of(ctx)?;
            Ok((answers, Loaders::of(ctx)?.one::<E>(scope(ctx)?).load(id).await?))
        };
        let (answers, found) = found.await.map_err(|failure| at(ctx, failure))?;
        let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
        let answer = OutputType::resolve(&found, &selection, ctx.item).await?;
        answers.count(&answer).map_err(|failure| at(ctx, failure))?;
        Ok(answer)
    }
    .boxed()
}

fn resolve_many<'c, E: Entity>(
    ctx: &'c Context<'c>,
    column: &'static str,
    parent: Uuid,
) -> BoxFuture<'c, ServerResult<GraphQLValue>> {
    connection::children::<E>(ctx, column, parent).boxed()
}
