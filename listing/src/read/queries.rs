//! The queries that every entity has: one by its id, the list, and its figures.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ID, ObjectType, OutputType, Positioned, ServerResult,
    Value as GraphQLValue, parser::types::Field, resolver_utils::resolve_container,
};

use crate::{
    aggregate,
    any::AnyEntity,
    context::{at, scope},
    entity::Entity,
    offer::Offer,
    read::{
        connection,
        deleted::{self, Deleted},
        filter,
        json::ResponseBudget,
        order, page,
        plan::One,
        selection::SelectedField,
    },
    registry::{self, MetaTypeId, Registry},
    scalar::id,
    typed::entity,
};

/// `contact(id:)`, `contacts(..)` and `contactsAggregate(..)` for an entity, to be merged into a
/// domain's queries.
pub struct Queries<E>(PhantomData<fn() -> E>);

impl<E> Default for Queries<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// The one row that the field being resolved asks for.
async fn one(ctx: &Context<'_>, entity: &'static AnyEntity) -> ServerResult<GraphQLValue> {
    let (_, given) = ctx.param_value::<ID>("id", None).map_err(|error| ctx.set_error_path(error))?;
    let read = async {
        let (scope, budget) = (scope(ctx)?, ResponseBudget::of(ctx)?);
        let id = id::argument(&given, "id", (entity.name, entity.prefix))?;
        entity.require(scope)?;
        let Some(plan) = One::of(ctx, scope, entity, &SelectedField::being_resolved(ctx)) else {
            // Something is selected that only the entity's own resolvers know.
            return Ok(Err(id));
        };
        let table = Deleted::of(ctx)?.rows(entity.rows(scope.session()));
        let found = plan.objects(scope, table, vec![id]).await?.remove(&id);
        Ok(Ok(found.map(|json| budget.finish(json, false)).transpose()?))
    };
    match read.await.map_err(|failure| at(ctx, failure))? {
        Ok(object) => Ok(object.unwrap_or_default()),
        Err(id) => (entity.resolvers.one)(ctx, id).await,
    }
}

impl<E: Entity> OutputType for Queries<E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Queries", E::NAME).into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            let entity = entity::<E>();
            // The entity first: the types that speak of its fields take their descriptions from it.
            let one = registry::nullable::<E>(registry);
            filter::describe(entity, registry);
            order::describe(entity, registry);
            let id = <ID as OutputType>::create_type_info(registry);
            let mut which = vec![registry::input("id", &id, "The ID.")];
            which.extend(deleted::describe(entity, registry));
            let many = connection::describe(entity, registry);
            let arguments = page::describe(entity, registry);
            let about_one = format!("The {} with this ID; null if there is none.", E::ONE);
            let about_many = format!("A list of {}, in pages.", E::MANY);
            let many = registry::output(E::MANY, &many, &about_many, arguments);
            let many = registry::rows(registry, &registry::PAGE, many);
            let mut fields =
                vec![registry::output(E::ONE, &one, &about_one, which), registry::never_null(registry, many)];
            if entity.offers(Offer::Figures) {
                fields.push(aggregate::describe(entity, registry));
            }
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
        let entity = entity::<E>();
        let name = ctx.item.node.name.node.as_str();
        if name == entity.one {
            return one(ctx, entity).await.map(Some);
        }
        if name == entity.many {
            return connection::list(ctx, entity).await.map(Some);
        }
        if entity.offers(Offer::Figures) && name == aggregate::field_name(entity) {
            return aggregate::resolve(ctx, entity).await.map(Some);
        }
        Ok(None)
    }
}

impl<E: Entity> ObjectType for Queries<E> {}
