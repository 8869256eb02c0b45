//! Evaluates `@skip` and `@include`, so that only what is asked reaches execution.

use async_graphql::{
    Positioned, Value, Variables,
    parser::types::{Directive, DocumentOperations, ExecutableDocument, Selection, SelectionSet},
};
use async_graphql_value::Value as LibraryValue;

use crate::Problem;

/// Leaves out the selections that their conditions exclude, and every directive.
///
/// # Errors
/// A condition whose variable is null.
pub(crate) fn apply(document: &mut ExecutableDocument, variables: &Variables) -> Result<(), Problem> {
    match &mut document.operations {
        DocumentOperations::Single(operation) => set(&mut operation.node.selection_set.node, variables)?,
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                set(&mut operation.node.selection_set.node, variables)?;
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        set(&mut fragment.node.selection_set.node, variables)?;
    }
    Ok(())
}

fn set(set_: &mut SelectionSet, variables: &Variables) -> Result<(), Problem> {
    let mut kept = Vec::with_capacity(set_.items.len());
    for mut selection in std::mem::take(&mut set_.items) {
        let directives = std::mem::take(selection.node.directives_mut());
        if !is_asked(&directives, variables)? {
            continue;
        }
        match &mut selection.node {
            Selection::Field(field) => set(&mut field.node.selection_set.node, variables)?,
            Selection::InlineFragment(fragment) => set(&mut fragment.node.selection_set.node, variables)?,
            Selection::FragmentSpread(_) => {}
        }
        kept.push(selection);
    }
    set_.items = kept;
    Ok(())
}

fn is_asked(directives: &[Positioned<Directive>], variables: &Variables) -> Result<bool, Problem> {
    for directive in directives {
        let name = directive.node.name.node.as_str();
        let excluded = match name {
            "skip" => true,
            "include" => false,
            _ => continue,
        };
        let condition = directive.node.get_argument("if").map(|condition| &condition.node);
        let holds = match condition {
            Some(LibraryValue::Boolean(holds)) => Some(*holds),
            Some(LibraryValue::Variable(variable)) => match variables.get(variable) {
                Some(Value::Boolean(holds)) => Some(*holds),
                _ => None,
            },
            _ => None,
        };
        match holds {
            Some(holds) if holds == excluded => return Ok(false),
            Some(_) => {}
            None => {
                let message = format!("The condition of @{name} must not be null.");
                return Err(Problem { position: Some(directive.pos), ..Problem::new(message) });
            }
        }
    }
    Ok(true)
}
