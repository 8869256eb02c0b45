//! What a client asks for, read ahead.

use async_graphql::{
    ContextBase, Positioned,
    parser::types::{Field, Selection, SelectionSet},
};

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
