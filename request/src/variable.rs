use apollo_compiler::ast::Type;
use async_graphql::{Name, Pos, Value};

/// A variable that an operation defines.
pub(crate) struct VariableDefinition {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) default: Option<Value>,
    pub(crate) position: Pos,
    /// How often arguments use it, fragments included.
    pub(crate) uses: usize,
}
