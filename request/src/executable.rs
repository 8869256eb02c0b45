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

use crate::refusal::Problem;

/// A copy of a document for these variables.
///
/// # Errors
/// A condition whose variable is null.
pub(crate) fn with(
    document: &ExecutableDocument,
    variables: &Variables,
) -> Result<ExecutableDocument, Problem> {
    let operation = |one: &Positioned<OperationDefinition>| -> Result<_, Problem> {
        let selection_set = set(&one.node.selection_set, variables)?;
        let OperationDefinition { ty, variable_definitions, .. } = &one.node;
        let (ty, variable_definitions) = (*ty, variable_definitions.clone());
        Ok(one.position_node(OperationDefinition {
            ty,
            variable_definitions,
            directives: vec![],
            selection_set,
        }))
    };
    let operations = match &document.operations {
        DocumentOperations::Single(one) => DocumentOperations::Single(operation(one)?),
        DocumentOperations::Multiple(several) => {
            let several = several
                .iter()
                .map(|(name, one)| -> Result<_, Problem> { Ok((name.clone(), operation(one)?)) });
            DocumentOperations::Multiple(several.collect::<Result<_, _>>()?)
        }
    };
    let fragments = document.fragments.iter().map(|(name, fragment)| -> Result<_, Problem> {
        let selection_set = set(&fragment.node.selection_set, variables)?;
        let type_condition = fragment.node.type_condition.clone();
        let definition = FragmentDefinition { type_condition, directives: vec![], selection_set };
        Ok((name.clone(), fragment.position_node(definition)))
    });
    Ok(ExecutableDocument { operations, fragments: fragments.collect::<Result<_, _>>()? })
}

fn set(set: &Positioned<SelectionSet>, variables: &Variables) -> Result<Positioned<SelectionSet>, Problem> {
    let mut items = Vec::with_capacity(set.node.items.len());
    for selection in &set.node.items {
        if is_asked(selection.node.directives(), variables)? {
            items.push(selection.position_node(selected(&selection.node, variables)?));
        }
    }
    Ok(set.position_node(SelectionSet { items }))
}

fn selected(selection: &Selection, variables: &Variables) -> Result<Selection, Problem> {
    Ok(match selection {
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
                selection_set: set(selection_set, variables)?,
            }))
        }
        Selection::InlineFragment(fragment) => {
            let InlineFragment { type_condition, selection_set, .. } = &fragment.node;
            Selection::InlineFragment(fragment.position_node(InlineFragment {
                type_condition: type_condition.clone(),
                directives: vec![],
                selection_set: set(selection_set, variables)?,
            }))
        }
        Selection::FragmentSpread(spread) => {
            let mut spread = spread.clone();
            spread.node.directives.clear();
            Selection::FragmentSpread(spread)
        }
    })
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

fn is_asked(directives: &[Positioned<Directive>], variables: &Variables) -> Result<bool, Problem> {
    for directive in directives {
        let name = directive.node.name.node.as_str();
        let excluding = match name {
            "skip" => true,
            "include" => false,
            _ => continue,
        };
        let holds = match directive.node.get_argument("if").map(|condition| &condition.node) {
            Some(LibraryValue::Boolean(holds)) => Some(*holds),
            Some(LibraryValue::Variable(variable)) => match variables.get(variable) {
                Some(Value::Boolean(holds)) => Some(*holds),
                _ => None,
            },
            _ => None,
        };
        match holds {
            Some(holds) if holds == excluding => return Ok(false),
            Some(_) => {}
            // Refused before: a condition must not be null.
            None => {
                let message = format!("The condition of @{name} must not be null.");
                return Err(Problem { position: Some(directive.pos), ..Problem::new(message) });
            }
        }
    }
    Ok(true)
}
