//! What an entity's own resolvers answer for the rows of a list.

use std::collections::HashMap;

use async_graphql::{Context, ContextSelectionSet, Value as GraphQLValue};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::{any::ResolvedRows, entity::Entity, read::selection::ResolverFields, sql::values::Values};

/// What the resolvers answer, for each selection and row. All rows at once, so that loaders get the
/// keys of all of them in one batch.
pub(crate) async fn resolve<E: Entity>(
    ctx: &Context<'_>,
    rows: &[Values],
    whole: &HashMap<Uuid, E>,
    fields: &[ResolverFields<'_>],
) -> Vec<ResolvedRows> {
    join_all(fields.iter().map(|fields| of_rows(ctx, rows, whole, fields))).await
}

async fn of_rows<E: Entity>(
    ctx: &Context<'_>,
    rows: &[Values],
    whole: &HashMap<Uuid, E>,
    fields: &ResolverFields<'_>,
) -> ResolvedRows {
    if fields.is_empty() {
        return vec![];
    }
    let row = |(index, row): (usize, &Values)| {
        let entity = row.id(0).and_then(|id| whole.get(&id));
        async move {
            let Some(entity) = entity else { return vec![None; fields.wanted.len()] };
            let connection = ctx.with_selection_set(&ctx.item.node.selection_set);
            let list = connection.with_field(fields.list);
            let row = list.with_index(index);
            let row = row.with_selection_set(&fields.list.node.selection_set);
            match fields.inner {
                None => of_row(&row, entity, fields).await,
                Some(inner) => {
                    let node = row.with_field(inner);
                    of_row(&node.with_selection_set(&inner.node.selection_set), entity, fields).await
                }
            }
        }
    };
    join_all(rows.iter().enumerate().map(row)).await
}

async fn of_row<E: Entity>(
    ctx: &ContextSelectionSet<'_>,
    entity: &E,
    fields: &ResolverFields<'_>,
) -> Vec<Option<GraphQLValue>> {
    let resolve = |field| async move {
        match entity.resolve_field(&ctx.with_field(field)).await {
            Ok(value) => Some(value.unwrap_or_default()),
            Err(error) => {
                ctx.add_error(error);
                None
            }
        }
    };
    let wanted = fields.wanted.iter().map(|selected| async move {
        let answers = join_all(selected.places().map(resolve)).await;
        answers.into_iter().flatten().reduce(both)
    });
    join_all(wanted).await
}

/// What two selections of the same field were answered, as one.
fn both(one: GraphQLValue, other: GraphQLValue) -> GraphQLValue {
    match (one, other) {
        (GraphQLValue::Object(mut one), GraphQLValue::Object(other)) => {
            for (key, more) in other {
                let there = one.entry(key).or_default();
                *there = both(std::mem::take(there), more);
            }
            GraphQLValue::Object(one)
        }
        (GraphQLValue::List(one), GraphQLValue::List(other)) => {
            GraphQLValue::List(one.into_iter().zip(other).map(|(one, other)| both(one, other)).collect())
        }
        (GraphQLValue::Null, other) => other,
        (one, _) => one,
    }
}
