use std::sync::Arc;

use apollo_compiler::{
    Node,
    ast::DirectiveList,
    executable::{self, ExecutableDocument, Selection, SelectionSet},
};
use async_graphql::Name;

use crate::{
    AnswerPlan, Model, Operation, Problem, Refused,
    convert::{Conversion, constant},
    cost::Cost,
    limit::{MUTATIONS, ROOT_FIELDS},
    literal,
    operation::VariableDefinition,
    position::Positions,
    size,
    survey::Survey,
    tokens, validation,
};

/// A document that is valid for the schema, with each of its operations compiled. Front ends send
/// the same documents again and again, so it is worth keeping.
pub struct Document {
    operations: Vec<Arc<Operation>>,
}

impl Document {
    /// Reads a document: counts its tokens, parses it, measures it, and only then validates and
    /// compiles it, so that each step costs no more than the limits allow.
    ///
    /// # Errors
    /// A limit that it exceeds, or what is not valid.
    pub fn parse(model: &Model, text: &str) -> Result<Self, Refused> {
        tokens::check(text)?;
        let parsed = validation::parse(text)?;
        size::check(&parsed)?;
        let typed = validation::typed(model, &parsed)?;
        let mut positions = Positions::in_text(text);
        let problems = literal::check(model, &typed, &mut positions);
        if !problems.is_empty() {
            return Err(Refused(problems));
        }
        let valid = validation::validate(model, typed)?;
        let operations = valid.operations.iter().map(|operation| {
            Compilation { model, document: &valid, text }.operation(operation).map(Arc::new)
        });
        Ok(Self { operations: operations.collect::<Result<_, _>>()? })
    }

    /// The operation of this name, or the only one.
    ///
    /// # Errors
    /// There is none of this name, or there are several and no name.
    pub fn operation(&self, name: Option<&str>) -> Result<&Arc<Operation>, Refused> {
        let found = match (name, self.operations.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(_), all) => all.iter().find(|operation| operation.name.as_deref() == name),
        };
        found.ok_or_else(|| {
            let message = match name {
                Some(name) => format!("The document has no operation named {}.", crate::input::cut(name)),
                None if self.operations.is_empty() => "The document has no operation.".to_owned(),
                None => "The document has several operations: name one as `operationName`.".to_owned(),
            };
            Problem::new(message).into()
        })
    }
}

struct Compilation<'c> {
    model: &'c Model,
    document: &'c ExecutableDocument,
    text: &'c str,
}

impl Compilation<'_> {
    fn operation(&self, operation: &Node<executable::Operation>) -> Result<Operation, Refused> {
        let mut positions = Positions::in_text(self.text);
        let place = positions.of(operation.location());
        let survey = Survey::of(self.model, self.document, &operation.selection_set)?;
        if operation.is_mutation() {
            MUTATIONS.check(survey.root_fields)?;
            if survey.root_fields > survey.root_keys {
                let message = "Ask for a mutation in one place: in several it would be carried out as often.";
                return Err(Problem { position: Some(place), ..Problem::new(message) }.into());
            }
        } else {
            ROOT_FIELDS.check(survey.root_fields)?;
        }
        let variables: Vec<_> = operation
            .variables
            .iter()
            .map(|variable| {
                let name = Name::new(&variable.name);
                VariableDefinition {
                    uses: survey.uses.get(&name).copied().unwrap_or_default(),
                    name,
                    ty: (*variable.ty).clone(),
                    default: variable.default_value.as_ref().map(|default| constant(default)),
                    position: positions.of(variable.location()),
                }
            })
            .collect();
        let conversion =
            Conversion { model: self.model, document: self.document, survey: &survey, positions };
        let executable = conversion.operation(operation, &variables);
        Ok(Operation {
            name: operation.name.as_ref().map(Name::new),
            variables,
            values: survey.values,
            plan: Arc::new(AnswerPlan::of(self.model, &executable)),
            executable,
            is_conditional: self.is_conditional(&operation.selection_set, &survey),
            repeats: survey.repeats,
            cost: Cost::of(self.document, &operation.selection_set),
        })
    }

    fn is_conditional(&self, root: &SelectionSet, survey: &Survey) -> bool {
        let fragments = survey.fragments.iter().filter_map(|name| self.document.fragments.get(name));
        has_directives(root) || fragments.into_iter().any(|fragment| has_directives(&fragment.selection_set))
    }
}

/// Whether any selection below, but for those of fragments that are spread, has a directive.
fn has_directives(set: &SelectionSet) -> bool {
    let is_conditional = |selection: &Selection| {
        let directives: &DirectiveList = selection.directives();
        !directives.is_empty()
            || match selection {
                Selection::Field(field) => has_directives(&field.selection_set),
                Selection::InlineFragment(fragment) => has_directives(&fragment.selection_set),
                Selection::FragmentSpread(_) => false,
            }
    };
    set.selections.iter().any(is_conditional)
}
