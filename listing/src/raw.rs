//! Arguments as they came in: what is wrong with them is said where they are used, together with
//! its place.

use async_graphql::{Context, Value};

/// What was given for an argument of the field that is being resolved. What depends on a variable
/// that was not sent is not in the document any more (crate `request`).
pub(crate) fn given(ctx: &Context<'_>, argument: &str) -> Option<Value> {
    let given = ctx.item.node.get_argument(argument)?.node.clone();
    given.into_const_with(|name| ctx.query_env.variables.get(&name).cloned().ok_or(())).ok()
}
