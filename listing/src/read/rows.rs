//! The rows of a list as GraphQL answers them, in one loop: what is known already costs no future.

use std::iter::repeat_with;

use async_graphql::{
    Context, ContextSelectionSet, Name, Positioned, ServerResult, Value as GraphQLValue, indexmap::IndexMap,
    parser::types::Field as Asked,
};
use futures_util::future::join_all;

use crate::{
    Entity, Field, Kind, Value,
    read::page::Page,
    read::selection::{fields, leaf},
    sql::values::Wide,
};

pub(crate) type Object = IndexMap<Name, GraphQLValue>;

/// What a client asked of each row.
struct Plan<'a, E: 'static> {
    steps: Vec<(Name, Step<E>)>,
    /// What is left to the entity's own resolvers.
    others: Vec<&'a Positioned<Asked>>,
}

/// Where one field of the answer comes from.
enum Step<E: 'static> {
    /// A constant: the name of a type.
    Fixed(&'static str),
    /// A field of the row.
    Own(&'static Field<E>),
    /// A related row that was read with this one, from here on among the values behind it.
    Joined(usize, Vec<(Name, Part)>),
    /// The entity's own resolver.
    Other,
}

/// Where one field of a joined row comes from.
enum Part {
    Fixed(&'static str),
    Read(usize, Kind),
}

/// The rows as a list of objects. `inner` is the field between the list and a row: the `node` of
/// `edges`.
pub(crate) async fn resolve<'a, E: Entity>(
    ctx: &Context<'a>,
    page: &Page,
    rows: &[Wide<E>],
    inner: Option<&'a Positioned<Asked>>,
) -> ServerResult<Vec<GraphQLValue>> {
    let asked = inner.unwrap_or(ctx.item);
    let plan = Plan::<E>::of(ctx, page, &fields(ctx, &asked.node.selection_set, E::NAME));
    if plan.others.is_empty() {
        return Ok(rows.iter().map(|row| plan.object(row, repeat_with(|| None))).collect());
    }
    let wanted = &plan.others;
    let resolved = rows.iter().enumerate().map(|(index, row)| async move {
        let row_ctx = ctx.with_index(index);
        let row_ctx = row_ctx.with_selection_set(&ctx.item.node.selection_set);
        match inner {
            None => others(&row_ctx, &row.row, wanted).await,
            Some(inner) => {
                let node = row_ctx.with_field(inner);
                others(&node.with_selection_set(&inner.node.selection_set), &row.row, wanted).await
            }
        }
    });
    // All at once, so that loaders see every row's wish in one batch.
    let resolved = join_all(resolved).await;
    Ok(rows.iter().zip(resolved).map(|(row, others)| plan.object(row, others.into_iter())).collect())
}

/// What the entity's own resolvers answer; nothing for what failed, which has been noted.
async fn others<E: Entity>(
    ctx: &ContextSelectionSet<'_>,
    row: &E,
    wanted: &[&Positioned<Asked>],
) -> Vec<Option<GraphQLValue>> {
    let resolved = wanted.iter().map(|field| async move {
        match row.resolve_field(&ctx.with_field(field)).await {
            Ok(value) => Some(value.unwrap_or_default()),
            Err(error) => {
                ctx.add_error(error);
                None
            }
        }
    });
    join_all(resolved).await
}

impl<'a, E: Entity> Plan<'a, E> {
    fn of(ctx: &Context<'a>, page: &Page, asked: &[&'a Positioned<Asked>]) -> Self {
        let mut plan = Self { steps: Vec::with_capacity(asked.len()), others: vec![] };
        for field in asked {
            let key = field.node.response_key().node.clone();
            let step = Step::of(ctx, page, field);
            if matches!(step, Step::Other) {
                plan.others.push(field);
            }
            plan.steps.push((key, step));
        }
        plan
    }

    fn object(&self, row: &Wide<E>, mut others: impl Iterator<Item = Option<GraphQLValue>>) -> GraphQLValue {
        let mut object = Object::with_capacity(self.steps.len());
        for (key, step) in &self.steps {
            let value = match step {
                Step::Fixed(name) => (*name).into(),
                Step::Own(field) => field.shape.kind.answer((field.value)(&row.row)),
                Step::Joined(first, parts) => related(&row.more, *first, parts),
                Step::Other => match others.next().flatten() {
                    Some(value) => value,
                    None => continue,
                },
            };
            merge(&mut object, key, value);
        }
        GraphQLValue::Object(object)
    }
}

impl<E: Entity> Step<E> {
    fn of(ctx: &Context<'_>, page: &Page, asked: &Positioned<Asked>) -> Self {
        let name = asked.node.name.node.as_str();
        if name == "__typename" {
            return Self::Fixed(E::NAME);
        }
        if let Some(field) = leaf::<E>(name) {
            return Self::Own(field);
        }
        let mut first = page.order.iter().filter(|key| key.via.is_some()).count();
        for join in &page.joins {
            if join.via.relation == name {
                let part = |asked: &&Positioned<Asked>| {
                    let name = asked.node.name.node.as_str();
                    let place = join.shapes.iter().enumerate().find(|(_, shape)| shape.name == name);
                    // What is not among the columns can only be the name of the type.
                    let part = place.map_or(Part::Fixed(join.via.target), |(at, shape)| {
                        Part::Read(first + 1 + at, shape.kind)
                    });
                    (asked.node.response_key().node.clone(), part)
                };
                let parts = fields(ctx, &asked.node.selection_set, join.via.target);
                return Self::Joined(first, parts.iter().map(part).collect());
            }
            first += 1 + join.shapes.len();
        }
        Self::Other
    }
}

/// A joined row; null if there is none, which its id tells.
fn related(more: &[Value], first: usize, parts: &[(Name, Part)]) -> GraphQLValue {
    if more.get(first).is_none_or(|id| *id == Value::Null) {
        return GraphQLValue::Null;
    }
    let mut object = Object::with_capacity(parts.len());
    for (key, part) in parts {
        let value = match part {
            Part::Fixed(name) => (*name).into(),
            Part::Read(at, kind) => {
                more.get(*at).map_or(GraphQLValue::Null, |value| kind.answer(value.clone()))
            }
        };
        merge(&mut object, key, value);
    }
    GraphQLValue::Object(object)
}

/// Sets a field of an answer. The same field may be asked for twice, each time with other fields
/// below; then both are answered.
pub(crate) fn merge(object: &mut Object, key: &Name, value: GraphQLValue) {
    match (object.get_mut(key), value) {
        (Some(GraphQLValue::Object(there)), GraphQLValue::Object(more)) => {
            for (key, value) in more {
                merge(there, &key, value);
            }
        }
        (Some(GraphQLValue::List(there)), GraphQLValue::List(more)) => {
            for (there, more) in there.iter_mut().zip(more) {
                if let (GraphQLValue::Object(there), GraphQLValue::Object(more)) = (there, more) {
                    for (key, value) in more {
                        merge(there, &key, value);
                    }
                }
            }
        }
        (Some(_), _) => {}
        (None, value) => {
            object.insert(key.clone(), value);
        }
    }
}
