//! What a client asks for, read ahead.

use async_graphql::{
    Context, ContextBase, Name, Positioned,
    indexmap::{IndexMap, map::Entry},
    parser::types::{Field, Selection, SelectionSet},
};

use crate::read::json::{Key, ResponseBudget};

/// The alias under which the gateway asks an object for its type, so that the library answers an
/// object and not null where nothing else is left to ask.
pub const OBJECT_MARK: &str = "__tessera_object";

/// A field of the selection, or the same field several times under one key, each time with other
/// fields below.
pub(crate) struct SelectedField<'a> {
    first: &'a Positioned<Field>,
    more: Vec<&'a Positioned<Field>>,
}

impl<'a> SelectedField<'a> {
    /// The field that is being resolved.
    pub(crate) fn being_resolved(ctx: &Context<'a>) -> Self {
        Self { first: ctx.item, more: vec![] }
    }

    /// The field's name in the schema.
    pub(crate) fn name(&self) -> &'a str {
        self.first.node.name.node.as_str()
    }

    /// Under which it is answered.
    pub(crate) fn key(&self) -> Key {
        Key::of(self.first)
    }

    /// Where it is asked for the first time, with the arguments that all places have.
    pub(crate) fn first(&self) -> &'a Positioned<Field> {
        self.first
    }

    /// Every place where it is asked for.
    pub(crate) fn places(&self) -> impl Iterator<Item = &'a Positioned<Field>> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }

    /// What is asked below it of the object type `on`, fragments opened, in the order of the document.
    pub(crate) fn fields<T>(&self, ctx: &ContextBase<'a, T>, on: &str) -> Vec<SelectedField<'a>> {
        let mut found = IndexMap::new();
        for place in self.places() {
            add_fields(ctx, &place.node.selection_set, on, &mut found);
        }
        found.into_values().collect()
    }
}

/// Fields of rows that only the entity's own resolvers know, selected under one key of a connection.
pub(crate) struct ResolverFields<'a> {
    /// The list, and what stands between it and a row: `nodes`; `edges` and `node`.
    pub(crate) list: &'a Positioned<Field>,
    pub(crate) inner: Option<&'a Positioned<Field>>,
    pub(crate) wanted: Vec<SelectedField<'a>>,
}

impl ResolverFields<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }
}

fn add_fields<'a, T>(
    ctx: &ContextBase<'a, T>,
    set: &'a Positioned<SelectionSet>,
    on: &str,
    found: &mut IndexMap<&'a Name, SelectedField<'a>>,
) {
    let applies = |condition: &str| {
        condition == on
            || ctx.schema_env.registry.types.get(condition).is_some_and(|ty| ty.is_possible_type(on))
    };
    for selection in &set.node.items {
        match &selection.node {
            // Rows that are written as JSON are objects even where nothing is left to ask of them.
            Selection::Field(field)
                if field.node.response_key().node == OBJECT_MARK && !ResponseBudget::become_values(ctx) => {}
            Selection::Field(field) => match found.entry(&field.node.response_key().node) {
                Entry::Occupied(mut asked) => asked.get_mut().more.push(field),
                Entry::Vacant(place) => {
                    place.insert(SelectedField { first: field, more: vec![] });
                }
            },
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
