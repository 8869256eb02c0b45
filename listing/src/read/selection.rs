//! What a client asks for, read ahead: which fields, and which related rows the statement may join.

use async_graphql::{
    Context, ContextBase, Positioned,
    parser::types::{Field, Selection, SelectionSet},
};
use tenancy::Scope;

use crate::{Entity, any::to_one, entity::field, field::Shape, read::order::Via};

/// A relation to one that is read together with the rows, and which of its fields are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Join {
    pub(crate) via: Via,
    pub(crate) shapes: Vec<Shape>,
}

/// The fields of a selection that apply to the object type `on`, fragments opened, in the order of
/// the document.
pub(crate) fn fields<'a, T>(
    ctx: &ContextBase<'a, T>,
    set: &'a Positioned<SelectionSet>,
    on: &str,
) -> Vec<&'a Positioned<Field>> {
    let mut found = vec![];
    add_fields(ctx, set, on, &mut found);
    found
}

fn add_fields<'a, T>(
    ctx: &ContextBase<'a, T>,
    set: &'a Positioned<SelectionSet>,
    on: &str,
    found: &mut Vec<&'a Positioned<Field>>,
) {
    let applies = |condition: &str| {
        condition == on
            || ctx.schema_env.registry.types.get(condition).is_some_and(|ty| ty.is_possible_type(on))
    };
    for selection in &set.node.items {
        match &selection.node {
            Selection::Field(field) => found.push(field),
            Selection::FragmentSpread(spread) => {
                let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node);
                if let Some(fragment) =
                    fragment.filter(|fragment| applies(&fragment.node.type_condition.node.on.node))
                {
                    add_fields(ctx, &fragment.node.selection_set, on, found);
                }
            }
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                if condition.is_none_or(|condition| applies(&condition.node.on.node)) {
                    add_fields(ctx, &fragment.node.selection_set, on, found);
                }
            }
        }
    }
}

/// Whether a selection names this field.
pub(crate) fn names(fields: &[&Positioned<Field>], name: &str) -> bool {
    fields.iter().any(|field| field.node.name.node == name)
}

/// The relations to one that the rows of a connection are asked for with nothing but plain fields.
/// What goes further, or may not be read, is left to the loaders.
pub(crate) fn joins<E: Entity>(
    ctx: &Context<'_>,
    scope: &Scope,
    connection: &[&Positioned<Field>],
) -> Vec<Join> {
    let mut rows = vec![];
    for part in connection {
        let set = &part.node.selection_set;
        match part.node.name.node.as_str() {
            "nodes" => rows.extend(fields(ctx, set, E::NAME)),
            "edges" => {
                for node in fields(ctx, set, &format!("{}Edge", E::NAME)) {
                    rows.extend(fields(ctx, &node.node.selection_set, E::NAME));
                }
            }
            _ => {}
        }
    }
    joins_of::<E>(ctx, scope, &rows)
}

fn joins_of<E: Entity>(ctx: &Context<'_>, scope: &Scope, row: &[&Positioned<Field>]) -> Vec<Join> {
    let mut joins: Vec<Join> = vec![];
    let mut unfit = vec![];
    for asked in row {
        let Some(to_one) = to_one::<E>(&asked.node.name.node) else { continue };
        if scope.require(to_one.target.read).is_err() {
            continue;
        }
        let wanted = fields(ctx, &asked.node.selection_set, to_one.target.name);
        let mut shapes = vec![];
        for field in wanted.iter().filter(|field| field.node.name.node != "__typename") {
            match (to_one.target.shape)(&field.node.name.node).filter(|shape| shape.kind.is_leaf()) {
                Some(shape) => shapes.push(shape),
                None => unfit.push(to_one.name),
            }
        }
        let via = Via::from(to_one);
        match joins.iter_mut().find(|join| join.via == via) {
            Some(join) => join.shapes.extend(shapes),
            None => joins.push(Join { via, shapes }),
        }
    }
    joins.retain(|join| !unfit.contains(&join.via.relation));
    for join in &mut joins {
        let mut seen = vec![];
        join.shapes.retain(|shape| {
            let new = !seen.contains(&shape.name);
            seen.push(shape.name);
            new
        });
    }
    joins
}

/// The plain field of that name.
pub(crate) fn leaf<E: Entity>(name: &str) -> Option<&'static crate::Field<E>> {
    field::<E>(name).filter(|field| field.shape.kind.is_leaf())
}
