//! The document of one request: what `@skip` and `@include` exclude is left out, and so is what
//! depends on a variable that was not sent, as if it was not written (October 2021, 3.10 and 6.4.1).
//! The execution library sees no directive, and no variable without a value.

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, InlineFragment,
        OperationDefinition, Selection, SelectionSet,
    },
};
use async_graphql_value::Value as LibraryValue;

/// A copy of a document for these variables, which have been coerced.
pub(crate) fn with(document: &ExecutableDocument, variables: &Variables) -> ExecutableDocument {
    let operation = |one: &Positioned<OperationDefinition>| {
        let OperationDefinition { ty, variable_definitions, selection_set, .. } = &one.node;
        one.position_node(OperationDefinition {
            ty: *ty,
            variable_definitions: variable_definitions.clone(),
            directives: vec![],
            selection_set: set(selection_set, variables),
        })
    };
    let operations = match &document.operations {
        DocumentOperations::Single(one) => DocumentOperations::Single(operation(one)),
        DocumentOperations::Multiple(several) => DocumentOperations::Multiple(
            several.iter().map(|(name, one)| (name.clone(), operation(one))).collect(),
        ),
    };
    let fragments = document.fragments.iter().map(|(name, fragment)| {
        let definition = FragmentDefinition {
            type_condition: fragment.node.type_condition.clone(),
            directives: vec![],
            selection_set: set(&fragment.node.selection_set, variables),
        };
        (name.clone(), fragment.position_node(definition))
    });
    ExecutableDocument { operations, fragments: fragments.collect() }
}

fn set(set: &Positioned<SelectionSet>, variables: &Variables) -> Positioned<SelectionSet> {
    let asked = set.node.items.iter().filter(|selection| is_asked(selection.node.directives(), variables));
    let items = asked.map(|selection| selection.position_node(selected(&selection.node, variables)));
    set.position_node(SelectionSet { items: items.collect() })
}

fn selected(selection: &Selection, variables: &Variables) -> Selection {
    match selection {
        Selection::Field(field) => {
            let Field { alias, name, arguments, selection_set, .. } = &field.node;
            let arguments = arguments.iter().filter_map(|(name, given)| {
                Some((name.clone(), given.position_node(value(&given.node, variables)?)))
            });
            Selection::Field(field.position_node(Field {
                alias: alias.clone(),
                name: name.clone(),
                arguments: arguments.collect(),
                directives: vec![],
                selection_set: set(selection_set, variables),
            }))
        }
        Selection::InlineFragment(fragment) => {
            let InlineFragment { type_condition, selection_set, .. } = &fragment.node;
            Selection::InlineFragment(fragment.position_node(InlineFragment {
                type_condition: type_condition.clone(),
                directives: vec![],
                selection_set: set(selection_set, variables),
            }))
        }
        Selection::FragmentSpread(spread) => {
            let mut spread = spread.clone();
            spread.node.directives.clear();
            Selection::FragmentSpread(spread)
        }
    }
}

/// The value without variables that were not sent: their fields are absent, and null in a list.
fn value(given: &LibraryValue, variables: &Variables) -> Option<LibraryValue> {
    match given {
        LibraryValue::Variable(name) if !variables.contains_key(name) => None,
        LibraryValue::List(items) => {
            let items = items.iter().map(|item| value(item, variables).unwrap_or(LibraryValue::Null));
            Some(LibraryValue::List(items.collect()))
        }
        LibraryValue::Object(fields) => {
            let fields = fields
                .iter()
                .filter_map(|(name, field): (&Name, _)| Some((name.clone(), value(field, variables)?)));
            Some(LibraryValue::Object(fields.collect()))
        }
        other => Some(other.clone()),
    }
}

/// Whether every condition lets a selection be. Validation and coercion leave no condition without a
/// value.
fn is_asked(directives: &[Positioned<Directive>], variables: &Variables) -> bool {
    directives.iter().all(|directive| {
        let holds = match directive.node.get_argument("if").map(|condition| &condition.node) {
            Some(LibraryValue::Boolean(holds)) => *holds,
            Some(LibraryValue::Variable(name)) => variables.get(name) == Some(&Value::Boolean(true)),
            _ => false,
        };
        match directive.node.name.node.as_str() {
            "skip" => !holds,
            "include" => holds,
            _ => true,
        }
    })
}
