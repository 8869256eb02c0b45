use async_graphql::{ErrorExtensionValues, Pos, ServerError, Value};

use crate::limit::Exceeded;

/// One reason why a request is not executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A sentence for people.
    pub message: String,
    /// The path of the value that is wrong, from the argument or from `variables` on; empty if the
    /// problem is no value's.
    pub field: Vec<String>,
    /// The place in the document.
    pub position: Option<Pos>,
    /// The limit, if one was exceeded.
    pub exceeded: Option<Exceeded>,
}

/// Why a request is not executed: one problem or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Vec<Problem>);

impl Problem {
    /// A problem of the request as a whole.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), field: vec![], position: None, exceeded: None }
    }
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        Self { exceeded: Some(exceeded), ..Self::new(exceeded.to_string()) }
    }
}

impl From<Exceeded> for Refused {
    fn from(exceeded: Exceeded) -> Self {
        Self(vec![exceeded.into()])
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// As an error of the answer, with its code.
impl From<Problem> for ServerError {
    fn from(problem: Problem) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", if problem.exceeded.is_some() { "COST_EXCEEDED" } else { "BAD_REQUEST" });
        if let Some(Exceeded { limit, found }) = problem.exceeded {
            extensions.set("limit", limit.name);
            extensions.set("most", limit.most);
            extensions.set("found", found);
        }
        if !problem.field.is_empty() {
            extensions.set("field", Value::from(problem.field));
        }
        let mut error = Self::new(problem.message, problem.position);
        error.extensions = Some(extensions);
        error
    }
}
