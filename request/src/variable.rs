use apollo_compiler::ast::Type;
use async_graphql::{Name, Pos, Value};

/// A variable that an operation defines.
pub(crate) struct VariableDefinition {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) default: Option<Value>,
    pub(crate) position: Pos,
    /// Whether a place that must not be null uses it. A variable with a default may, though it can be
    /// sent as null.
    pub(crate) is_filled: bool,
    /// How often arguments use it, fragments included.
    pub(crate) uses: usize,
}
