//! The queries that every entity has: one by its id, the list, and its figures.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, InputType, ObjectType, OutputType, Positioned, ServerResult,
    Value as GraphQLValue, parser::types::Field, resolver_utils::resolve_container,
};
use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use crate::{
    AnyEntity, Condition, Connection, Entity, GivenId, OrderBy, Statement, Where, aggregate,
    read::{
        branch::One,
        connection,
        json::Answers,
        page::{self, at},
        selection::Asked,
    },
    registry::{self, MetaTypeId, Registry},
    scope,
    sql::{select::Find, values::Values},
};

/// `contact(id:)`, `contacts(..)` and `contactsAggregate(..)` for an entity, to be merged into a
/// domain's queries.
pub struct Queries<E>(PhantomData<fn() -> E>);

impl<E> Default for Queries<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

async fn rows<E: Entity>(scope: &Scope, conditions: Vec<Condition>) -> Result<Vec<E>, Failure> {
    E::rows(scope, Statement::Find(Find { table: E::TABLE, conditions })).await
}

async fn rows_in<E: Entity>(tx: &Tx, conditions: Vec<Condition>) -> Result<Vec<E>, Failure> {
    E::rows_in(tx, Statement::Find(Find { table: E::TABLE, conditions })).await
}

/// The whole entities of rows of a list, for resolvers that need more of them.
pub(crate) async fn whole<E: Entity>(scope: &Scope, list: &[Values]) -> Result<HashMap<Uuid, E>, Failure> {
    let ids = list.iter().filter_map(|row| row.id(0)).collect();
    let whole = rows::<E>(scope, vec![Condition::ids(ids)]).await?;
    Ok(whole.into_iter().map(|entity| (entity.id(), entity)).collect())
}

/// The rows with these ids that are not deleted.
pub(crate) async fn find_many<E: Entity>(scope: &Scope, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    rows(scope, vec![Condition::ids(ids), Condition::LIVE]).await
}

/// The rows with these ids inside a write, deleted or not.
pub(crate) async fn find_many_in<E: Entity>(tx: &Tx, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    rows_in(tx, vec![Condition::ids(ids)]).await
}

/// One entity of the organisation; nothing if there is none with that id, or it is deleted.
///
/// # Errors
/// FORBIDDEN without the entity's permission to read, and what the database refuses.
pub async fn find<E: Entity>(scope: &Scope, id: Uuid) -> Result<Option<E>, Failure> {
    scope.require(E::READ)?;
    Ok(rows(scope, vec![Condition::id(id), Condition::LIVE]).await?.pop())
}

/// One entity inside a write, deleted or not.
///
/// # Errors
/// What the database refuses.
pub async fn find_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(rows_in(tx, vec![Condition::id(id)]).await?.pop())
}

/// One entity inside a write, unless it is deleted.
///
/// # Errors
/// What the database refuses.
pub async fn find_live_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(rows_in(tx, vec![Condition::id(id), Condition::LIVE]).await?.pop())
}

/// The one entity that the field being resolved asks for.
async fn one<E: Entity>(ctx: &Context<'_>) -> ServerResult<GraphQLValue> {
    let (_, id) = ctx.param_value::<GivenId<E>>("id", None).map_err(|error| ctx.set_error_path(error))?;
    let read = async {
        let (scope, answers, id) = (scope(ctx)?, Answers::of(ctx)?, id.uuid_argument("id")?);
        scope.require(E::READ)?;
        match One::of(ctx, scope, AnyEntity::of::<E>(), &Asked::being_resolved(ctx)) {
            Some(plan) => {
                let found = plan.objects(scope, vec![id]).await?.remove(&id);
                Ok((found.map(|json| answers.finish(json, false)).transpose()?, None))
            }
            // Something is asked that only the entity's own resolvers know.
            None => Ok((None, find::<E>(scope, id).await?)),
        }
    };
    match read.await.map_err(|failure| at(ctx, failure))? {
        (Some(object), _) => Ok(object),
        (None, whole) => {
            let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
            OutputType::resolve(&whole, &selection, ctx.item).await
        }
    }
}

impl<E: Entity> OutputType for Queries<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Queries", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            // The entity first: the types that speak of its fields take their descriptions from it.
            let one = registry::nullable::<E>(registry);
            Where::<E>::create_type_info(registry);
            OrderBy::<E>::create_type_info(registry);
            let id = <GivenId<E> as InputType>::create_type_info(registry);
            let id = registry::input("id", &id, "Which one.");
            let many = <Connection<E> as OutputType>::create_type_info(registry);
            let arguments = page::describe(E::NAME);
            let about_one = format!("One {} by its id; null if the organisation has none with it.", E::ONE);
            let about_many = format!("The organisation's {}, page by page.", E::MANY);
            let fields = [
                registry::output(E::ONE, &one, &about_one, vec![id]),
                registry::rows(
                    registry,
                    &registry::PAGE,
                    registry::output(E::MANY, &many, &about_many, arguments),
                ),
                aggregate::describe::<E>(registry),
            ];
            registry::object::<Self>("", fields)
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<GraphQLValue> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for Queries<E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<GraphQLValue>> {
        let name = ctx.item.node.name.node.as_str();
        if name == E::ONE {
            return one::<E>(ctx).await.map(Some);
        }
        if name == E::MANY {
            return connection::list::<E>(ctx).await.map(Some);
        }
        if name == aggregate::field_name::<E>() {
            return aggregate::resolve::<E>(ctx).await.map(Some);
        }
        Ok(None)
    }
}

impl<E: Entity> ObjectType for Queries<E> {}
