use std::sync::Arc;

use apollo_compiler::ast::Type;
use async_graphql::{Name, Pos, Value, Variables, indexmap::IndexMap, parser::types::ExecutableDocument};

use crate::{AnswerPlan, Model, Refused, coerce, condition, cost::Cost, limit::COMPLEXITY};

/// A valid operation, compiled: everything about it that does not hang on variables.
pub struct Operation {
    pub(crate) name: Option<Name>,
    pub(crate) variables: Vec<VariableDefinition>,
    /// How many values its arguments hold beside those of variables, fragments included.
    pub(crate) values: usize,
    pub(crate) executable: ExecutableDocument,
    /// Whether there is a directive anywhere.
    pub(crate) is_conditional: bool,
    pub(crate) repeats: bool,
    pub(crate) cost: Cost,
    pub(crate) plan: Arc<AnswerPlan>,
}

/// A variable that an operation defines.
pub(crate) struct VariableDefinition {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) default: Option<Value>,
    pub(crate) position: Pos,
    /// How often arguments use it, fragments included.
    pub(crate) uses: usize,
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

impl Operation {
    /// Makes the operation ready to be executed once.
    ///
    /// # Errors
    /// Variables that are missing or not of their types; an operation that would cost too much
    /// with these variables.
    pub fn prepare(&self, model: &Model, given: IndexMap<Name, Value>) -> Result<Prepared, Refused> {
        let variables = coerce::variables(model, self, given)?;
        let complexity = self.cost.with(&variables, model.settings.longest_page);
        COMPLEXITY.check(complexity)?;
        let (mut document, mut plan) = (self.executable.clone(), Arc::clone(&self.plan));
        if self.is_conditional {
            condition::apply(&mut document, &variables)?;
            plan = Arc::new(AnswerPlan::of(model, &document));
        }
        Ok(Prepared { document, variables, complexity, repeats: self.repeats, plan })
    }
}
