use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult,
    Value as GraphQLValue, parser::types::Field as Selection, resolver_utils::resolve_container,
};
use tenancy::Failure;

use crate::{
    any::{AnyEntity, AnyRelation, Way},
    context::{at, scope},
    entity::{Entity, Relation},
    field::Field,
    read::{connection, json::Json, loaders::Loaders, page},
    registry::{self, MetaTypeId, Output, Registry},
    root::noted,
    sql::condition::Term,
    typed::entity,
};

/// What an entity's row does not hold itself, to be flattened into its object: its relations, the ids
/// of what it refers to (which are seen if that is seen), and computed fields.
pub struct Related<'e, E>(pub &'e E);

impl<E: Entity> OutputType for Related<'_, E> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Relations", E::NAME).into()
    }

    // Other entities are spoken of by their names: they describe themselves, and may do so in turn
    // by way of this one.
    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Related<'static, E>, _>(MetaTypeId::Object, |registry| {
            let entity = entity::<E>();
            let relations =
                entity.relations().map(|relation| describe_relation(relation, registry)).collect::<Vec<_>>();
            let others = entity
                .fields()
                .filter_map(|field| describe_field(entity, field, registry))
                .collect::<Vec<_>>();
            registry::object::<Related<'static, E>>("", relations.into_iter().chain(others))
        })
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        _: &Positioned<Selection>,
    ) -> ServerResult<GraphQLValue> {
        resolve_container(ctx, self).await
    }
}

impl<E: Entity> ContainerType for Related<'_, E> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<GraphQLValue>> {
        let name = ctx.item.node.name.node.as_str();
        let answer = match E::RELATIONS.iter().find(|relation| relation.erased.name == name) {
            Some(relation) => self.relation(ctx, relation).await,
            None => match entity::<E>().field(name).filter(|field| is_derived(entity::<E>(), field)) {
                Some(field) => self.field(ctx, field).await.map_err(|failure| at(ctx, failure)),
                None => return Ok(None),
            },
        };
        Ok(Some(noted(ctx, answer)))
    }
}

impl<E: Entity> ObjectType for Related<'_, E> {}

impl<E: Entity> Related<'_, E> {
    async fn relation(
        &self,
        ctx: &Context<'_>,
        relation: &'static Relation<E>,
    ) -> ServerResult<GraphQLValue> {
        let target = relation.erased.target;
        match ((relation.key)(self.0), relation.erased.way) {
            (Some(id), Way::One { .. }) => (target.resolvers.one)(ctx, id).await,
            (Some(id), Way::Many { link }) => connection::children(ctx, target, link, id).await,
            (None, _) => Ok(GraphQLValue::Null),
        }
    }

    /// What a field holds that the row does not; read for all rows of a request together.
    async fn field(&self, ctx: &Context<'_>, field: &'static Field) -> Result<GraphQLValue, Failure> {
        let (scope, entity) = (scope(ctx)?, entity::<E>());
        if let Some(counted) = entity.counts(field) {
            counted.require(scope)?;
        }
        let Some(column) = entity.column(scope.session(), field.shape.name) else {
            return Ok(GraphQLValue::Null);
        };
        let own = |relation: &&Relation<E>| relation.erased.id_column_of(field).is_some();
        let kind = column.kind;
        let value = match (E::RELATIONS.iter().find(own), &column.term) {
            // Everything that it refers to is seen: the row's own id is enough.
            (Some(relation), Term::Column(_)) => (relation.key)(self.0).into(),
            _ => {
                // The row has been shown already, as one that was just deleted is shown to who deleted it;
                // the column hides what else is not seen.
                Loaders::of(ctx)?.values(scope).load(entity.all_rows(), column, self.0.id()).await?
            }
        };
        let mut json = Json::default();
        json.value(kind, &value);
        serde_json::from_slice(&json.into_bytes()).map_err(Failure::internal)
    }
}

/// Whether a field is one that the row does not hold itself.
fn is_derived(entity: &'static AnyEntity, field: &Field) -> bool {
    match field.shape.column() {
        None => true,
        Some(_) => entity.relations().any(|relation| relation.id_column_of(field).is_some()),
    }
}

fn describe_relation(relation: &AnyRelation, registry: &mut Registry) -> Output {
    let target = relation.target;
    match relation.way {
        Way::One { .. } => registry::output(relation.name, target.name, relation.about, vec![]),
        Way::Many { .. } => {
            let connection = connection::type_name(target.name);
            let arguments = page::describe(target, registry);
            let output = registry::output(relation.name, &connection, relation.about, arguments);
            let output = registry::rows(registry, &registry::PAGE, output);
            registry::never_null(registry, output)
        }
    }
}

fn describe_field(entity: &'static AnyEntity, field: &Field, registry: &mut Registry) -> Option<Output> {
    if !is_derived(entity, field) {
        return None;
    }
    let relation = entity.relations().find(|relation| relation.id_column_of(field).is_some());
    let ty = field.shape.kind.describe(registry);
    let about = match relation {
        Some(relation) => format!("The ID of `{}`; null if there is none.", relation.name),
        None => field.about.to_owned(),
    };
    Some(registry::output(field.shape.name, ty.trim_end_matches('!'), &about, vec![]))
}
