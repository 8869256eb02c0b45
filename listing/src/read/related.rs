use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};

use crate::{
    any::Way,
    entity::Entity,
    read::{connection, page},
    registry::{self, MetaTypeId, Registry},
    root::noted,
    typed::entity,
};

/// The fields of an entity's relations, to be flattened into its object.
pub struct Related<'e, E>(pub &'e E);

impl<E: Entity> OutputType for Related<'_, E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Relations", E::NAME).into()
    }

    // Other entities are spoken of by their names: they describe themselves, and may do so in turn
    // by way of this one.
    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Related<'static, E>, _>(MetaTypeId::Object, |registry| {
            let fields = entity::<E>().relations().map(|relation| match relation.way {
                Way::One { .. } => {
                    registry::output(relation.name, relation.target.name, relation.about, vec![])
                }
                Way::Many { .. } => {
                    let target = relation.target.name;
                    let connection = connection::type_name(target);
                    registry::rows(
                        registry,
                        &registry::PAGE,
                        registry::output(relation.name, &connection, relation.about, page::describe(target)),
                    )
                }
            });
            registry::object::<Related<'static, E>>("", fields.collect::<Vec<_>>())
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for Related<'_, E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let name = ctx.item.node.name.node.as_str();
        let Some(relation) = E::RELATIONS.iter().find(|relation| relation.erased.name == name) else {
            return Ok(None);
        };
        let target = relation.erased.target;
        let answer = match ((relation.key)(self.0), relation.erased.way) {
            (Some(id), Way::One { .. }) => (target.resolvers.one)(ctx, id).await,
            (Some(id), Way::Many { column }) => connection::children(ctx, target, column, id).await,
            (None, _) => Ok(Value::Null),
        };
        Ok(Some(noted(ctx, answer)))
    }
}

impl<E: Entity> ObjectType for Related<'_, E> {}
