use apollo_compiler::ast::Type;
use async_graphql::{Name, Pos, Value};

/// A variable that an operation defines.
pub(crate) struct VariableDefinition {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) default: Option<Value>,
    pub(crate) position: Pos,
    /// Whether it is used where null is not allowed. The type of a variable with a default may allow
    /// null all the same.
    pub(crate) must_not_be_null: bool,
    /// How often arguments use it, fragments included.
    pub(crate) uses: usize,
}
