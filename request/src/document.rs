use std::sync::Arc;

use apollo_compiler::{
    Node,
    executable::{self, ExecutableDocument},
};
use async_graphql::Name;

use crate::{
    convert::Conversion,
    cost::{Cost, introspected},
    limit::{INTROSPECTED_FIELDS, MUTATIONS, ROOT_FIELDS},
    literal::{self, NotNull},
    model::Model,
    operation::{Operation, Prepared},
    parameters::Parameters,
    plan::AnswerPlan,
    position::Positions,
    problems::cut,
    refusal::{Problem, Refused},
    size,
    survey::Survey,
    tokens, validation,
    value::constant,
    variable::VariableDefinition,
};

/// How many bytes a compiled document takes for each byte of its text (measured: 50).
const BYTES_PER_BYTE: usize = 64;
/// How many bytes the plan of an answer takes for each selection (measured: 120).
const BYTES_PER_SELECTION: usize = 200;

/// A document that is valid for the schema, with each of its operations compiled. Front ends send
/// the same documents again and again, so it is worth keeping.
pub struct Document {
    operations: Vec<Arc<Operation>>,
    /// How many selections its plans were made of, fragments counted at each use.
    selections: usize,
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
        let typed = validation::typed(model, &parsed, text)?;
        let not_null = literal::check(model, &typed, text)?;
        let valid = validation::validate(model, typed, text)?;
        let operations = valid.operations.iter().zip(&not_null).map(|(operation, not_null)| {
            Compilation { model, document: &valid, text, not_null }.operation(operation).map(Arc::new)
        });
        let operations: Vec<_> = operations.collect::<Result<_, _>>()?;
        let selections = operations.iter().map(|operation| operation.selections).sum();
        Ok(Self { operations, selections })
    }

    /// How many bytes it takes in memory, estimated from its text and its selections.
    #[must_use]
    pub fn bytes(&self, text: &str) -> usize {
        text.len().saturating_mul(BYTES_PER_BYTE) + self.selections.saturating_mul(BYTES_PER_SELECTION)
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
                Some(name) => format!("The document has no operation named {}.", cut(name)),
                None if self.operations.is_empty() => "The document has no operation.".to_owned(),
                None => "The document has several operations: name one as `operationName`.".to_owned(),
            };
            Problem::new(message).into()
        })
    }
}

/// Everything that happens to a request whose document was never seen before: the body is read, the
/// document compiled, and the operation made ready to be executed.
///
/// # Errors
/// Why the request is not executed.
pub fn prepare(model: &Model, body: &[u8]) -> Result<Prepared, Refused> {
    let parameters = Parameters::from_json(body)?;
    let document = Document::parse(model, &parameters.query)?;
    document.operation(parameters.operation_name.as_deref())?.prepare(model, parameters.variables)
}

struct Compilation<'c> {
    model: &'c Model,
    document: &'c ExecutableDocument,
    text: &'c str,
    not_null: &'c NotNull,
}

impl Compilation<'_> {
    fn operation(&self, operation: &Node<executable::Operation>) -> Result<Operation, Refused> {
        let mut positions = Positions::in_text(self.text);
        let place = positions.of(operation.location());
        let survey = Survey::of(self.model, self.document, &operation.selection_set, self.text)?;
        if operation.is_mutation() {
            MUTATIONS.check(survey.root_fields)?;
            if survey.root_fields > survey.root_keys {
                let message = "Select this mutation once: it would run once for each selection.";
                return Err(Problem { position: Some(place), ..Problem::new(message) }.into());
            }
        } else {
            ROOT_FIELDS.check(survey.root_fields)?;
        }
        INTROSPECTED_FIELDS.check(introspected(self.model, self.document, &operation.selection_set))?;
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
                    must_not_be_null: self.not_null.contains(&variable.name),
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
            selections: survey.selections,
            plan: Arc::new(AnswerPlan::of(self.model, &executable)?),
            executable,
            is_conditional: survey.is_conditional,
            repeats: survey.repeats,
            is_introspection: operation.variables.is_empty()
                && operation.root_fields(self.document).all(|field| field.name.starts_with("__")),
            cost: Cost::of(self.document, &operation.selection_set),
        })
    }
}
