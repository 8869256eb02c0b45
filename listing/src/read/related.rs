use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, resolver_utils::resolve_container,
};

use crate::{
    Entity,
    entity::relation,
    read::page,
    registry::{self, MetaTypeId, Registry},
    relation::Way,
    root::noted,
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
            let fields = E::RELATIONS.iter().map(|relation| match relation.way {
                Way::One { .. } => {
                    registry::output(relation.name, relation.target.name, relation.about, vec![])
                }
                Way::Many { .. } => {
                    let target = relation.target.name;
                    let connection = format!("{target}Connection");
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
        let Some(relation) = relation::<E>(&ctx.item.node.name.node) else { return Ok(None) };
        let answer = match relation.way {
            Way::One { id, .. } => match id(self.0) {
                Some(id) => (relation.target.resolve_one)(ctx, id).await,
                None => Ok(Value::Null),
            },
            Way::Many { column } => (relation.target.resolve_many)(ctx, column, self.0.id()).await,
        };
        Ok(Some(noted(ctx, answer)))
    }
}

impl<E: Entity> ObjectType for Related<'_, E> {}
