use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{
    Name, Value, Variables,
    indexmap::IndexMap,
    parser::types::{DocumentOperations, ExecutableDocument, Selection, SelectionSet},
};

use crate::{
    coerce, cost::Cost, executable, limit::COMPLEXITY, model::Model, plan::AnswerPlan, refusal::Refused,
    variable::VariableDefinition,
};

/// A valid operation, compiled: everything about it that does not depend on variables.
pub struct Operation {
    pub(crate) name: Option<Name>,
    pub(crate) variables: Vec<VariableDefinition>,
    /// How many values its arguments hold beside those of variables, fragments included.
    pub(crate) values: usize,
    /// How many selections it has, fragments counted at each use.
    pub(crate) selections: usize,
    pub(crate) executable: ExecutableDocument,
    /// Whether there is a directive anywhere.
    pub(crate) is_conditional: bool,
    pub(crate) repeats: bool,
    /// Whether nothing but the schema decides the answer.
    pub(crate) is_introspection: bool,
    pub(crate) cost: Cost,
    pub(crate) plan: Arc<AnswerPlan>,
}

/// What the execution library gets, and what its answer must look like.
#[derive(Debug)]
pub struct Prepared {
    /// One operation without directives, with the fragments it uses.
    pub document: ExecutableDocument,
    /// The values of its variables, coerced.
    pub variables: Variables,
    /// How many fields it may answer.
    pub complexity: usize,
    /// Whether several places ask for the same object, so that their answers are merged.
    pub repeats: bool,
    /// Completes the answer.
    pub plan: Arc<AnswerPlan>,
}

impl Prepared {
    /// The fields of the root object that it asks for, without `__typename`.
    pub fn root_fields(&self) -> BTreeSet<&str> {
        let mut fields = BTreeSet::new();
        if let DocumentOperations::Single(operation) = &self.document.operations {
            self.collect(&operation.node.selection_set.node, &mut fields);
        }
        fields
    }

    fn collect<'d>(&'d self, set: &'d SelectionSet, fields: &mut BTreeSet<&'d str>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if field.node.name.node == "__typename" => {}
                Selection::Field(field) => {
                    fields.insert(field.node.name.node.as_str());
                }
                Selection::InlineFragment(fragment) => {
                    self.collect(&fragment.node.selection_set.node, fields);
                }
                // Validation lets no fragment lead back to itself.
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        self.collect(&fragment.node.selection_set.node, fields);
                    }
                }
            }
        }
    }
}

impl Operation {
    /// Whether its answer is the same each time: it asks for nothing but the schema, and takes no
    /// variables.
    #[must_use]
    pub fn is_introspection(&self) -> bool {
        self.is_introspection
    }

    /// Makes the operation ready to be executed once.
    ///
    /// # Errors
    /// Variables that are missing or not of their types; an operation that would cost too much
    /// with these variables.
    pub fn prepare(&self, model: &Model, given: IndexMap<Name, Value>) -> Result<Prepared, Refused> {
        let variables = coerce::variables(model, &self.variables, self.values, given)?;
        let complexity = self.cost.with(&variables, model.settings.longest_page);
        COMPLEXITY.check(complexity)?;
        let is_narrower = self.is_conditional || variables.len() < self.variables.len();
        let document = match is_narrower {
            true => executable::with(&self.executable, &variables),
            false => self.executable.clone(),
        };
        let plan = match self.is_conditional {
            true => Arc::new(AnswerPlan::of(model, &document)?),
            false => Arc::clone(&self.plan),
        };
        Ok(Prepared { document, variables, complexity, repeats: self.repeats, plan })
    }
}
