//! How many fields an operation may answer, computed from the sizes of its pages before anything
//! is read.
//!
//! The schema says which fields are lists by `@listSize`, the directive of the GraphQL cost
//! specification: `slicingArguments` ask for a number of rows (or are a list, with one row for each
//! item), and `assumedSize` is the number without them.

use apollo_compiler::{
    ast::Value,
    executable::{ExecutableDocument, Field, Selection, SelectionSet},
};
use async_graphql::{Name, Value as ConstValue, Variables};

use crate::model::Model;

/// The cost of some selections: fields that are answered once, and lists.
#[derive(Default)]
pub(crate) struct Cost {
    plain: usize,
    lists: Vec<List>,
}

struct List {
    /// The arguments that say how many rows there may be; the first that is given counts.
    slices: Vec<Slice>,
    assumed: usize,
    row: Cost,
}

enum Slice {
    Rows(usize),
    Variable(Name),
}

impl Cost {
    /// The cost of a selection set, as far as the document tells.
    pub(crate) fn of(document: &ExecutableDocument, set: &SelectionSet) -> Self {
        let mut cost = Self::default();
        cost.add(document, set);
        cost
    }

    fn add(&mut self, document: &ExecutableDocument, set: &SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) if field.name == "__typename" => {}
                Selection::Field(field) => {
                    self.plain = self.plain.saturating_add(1);
                    match List::of(document, field) {
                        Some(list) => self.lists.push(list),
                        None => self.add(document, &field.selection_set),
                    }
                }
                Selection::InlineFragment(fragment) => self.add(document, &fragment.selection_set),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name) {
                        self.add(document, &fragment.selection_set);
                    }
                }
            }
        }
    }

    /// How many fields may be answered with these variables.
    pub(crate) fn with(&self, variables: &Variables, longest_page: usize) -> usize {
        let lists = self.lists.iter().map(|list| {
            let slice = list.slices.iter().find_map(|slice| match slice {
                Slice::Rows(rows) => Some(*rows),
                Slice::Variable(name) => variables.get(name).and_then(rows_of),
            });
            // A list of no rows is still read.
            let rows = slice.unwrap_or(list.assumed).clamp(1, longest_page);
            rows.saturating_mul(list.row.with(variables, longest_page))
        });
        lists.fold(self.plain, usize::saturating_add)
    }
}

impl List {
    fn of(document: &ExecutableDocument, field: &Field) -> Option<Self> {
        let size = field.definition.directives.get("listSize")?;
        let number = |name| size.specified_argument_by_name(name)?.to_i32();
        let assumed = number("assumedSize").and_then(|rows| usize::try_from(rows).ok()).unwrap_or(1);
        let arguments = size.specified_argument_by_name("slicingArguments").and_then(|names| names.as_list());
        let slices = arguments.unwrap_or_default().iter().filter_map(|name| {
            let value = field.arguments.iter().find(|argument| Some(argument.name.as_str()) == name.as_str());
            Slice::of(&value?.value)
        });
        Some(Self { slices: slices.collect(), assumed, row: Cost::of(document, &field.selection_set) })
    }
}

impl Slice {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Variable(name) => Some(Self::Variable(Name::new(name))),
            Value::List(items) => Some(Self::Rows(items.len())),
            Value::Int(_) => value.to_i32().map(|rows| Self::Rows(usize::try_from(rows).unwrap_or_default())),
            _ => None,
        }
    }
}

fn rows_of(value: &ConstValue) -> Option<usize> {
    match value {
        ConstValue::List(items) => Some(items.len()),
        ConstValue::Number(rows) => rows.as_i64().map(|rows| usize::try_from(rows).unwrap_or_default()),
        _ => None,
    }
}

/// How many fields of the schema a selection set may answer.
pub(crate) fn introspected(model: &Model, document: &ExecutableDocument, set: &SelectionSet) -> usize {
    let fields = |field: &Field| match field.name.as_str() {
        "__schema" => in_schema(model, document, &field.selection_set, false),
        "__type" => in_schema(model, document, &field.selection_set, true),
        _ => 0,
    };
    sum(document, set, &fields)
}

fn in_schema(model: &Model, document: &ExecutableDocument, set: &SelectionSet, chosen: bool) -> usize {
    let fields = |field: &Field| {
        let below = in_schema(model, document, &field.selection_set, false);
        model.sizes.items(&field.name, chosen).saturating_mul(below).saturating_add(1)
    };
    sum(document, set, &fields)
}

/// Adds up what the fields of a selection set count, fragments included.
fn sum(document: &ExecutableDocument, set: &SelectionSet, count: &dyn Fn(&Field) -> usize) -> usize {
    let counts = set.selections.iter().map(|selection| match selection {
        Selection::Field(field) => count(field),
        Selection::InlineFragment(fragment) => sum(document, &fragment.selection_set, count),
        Selection::FragmentSpread(spread) => {
            let fragment = document.fragments.get(&spread.fragment_name);
            fragment.map_or(0, |fragment| sum(document, &fragment.selection_set, count))
        }
    });
    counts.fold(0, usize::saturating_add)
}
