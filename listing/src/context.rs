//! What the crate reads from the context of the field that is being resolved.

use async_graphql::{Context, InputType, Pos, ServerError, Value as GraphQLValue};
use tenancy::{Failure, Scope};

/// The scope that the gateway put into this request.
///
/// # Errors
/// A fault of ours if it did not.
pub fn scope<'c>(ctx: &Context<'c>) -> Result<&'c Scope, Failure> {
    ctx.data::<Scope>().map_err(|error| Failure::internal(error.message))
}

/// A failure at the position of the field that is being resolved.
pub fn at(ctx: &Context<'_>, failure: Failure) -> ServerError {
    let pos: Pos = ctx.item.pos;
    ctx.set_error_path(async_graphql::Error::from(failure).into_server_error(pos))
}

/// An argument as it came in; absent if it was not given. What depends on a variable that was not
/// sent is not in the document any more (crate `request`).
pub(crate) fn given(ctx: &Context<'_>, argument: &str) -> Option<GraphQLValue> {
    let given = ctx.item.node.get_argument(argument)?.node.clone();
    given.into_const_with(|name| ctx.query_env.variables.get(&name).cloned().ok_or(())).ok()
}

/// As [`given`]; null counts as absent.
pub(crate) fn given_value(ctx: &Context<'_>, argument: &str) -> Option<GraphQLValue> {
    given(ctx, argument).filter(|given| *given != GraphQLValue::Null)
}

/// An argument of this type.
///
/// # Errors
/// BAD_REQUEST at the argument for what is not of the type.
pub(crate) fn argument<T: InputType>(ctx: &Context<'_>, name: &str) -> Result<Option<T>, Failure> {
    let value = Option::<T>::parse(given(ctx, name));
    value.map_err(|error| Failure::bad_request(name, error.into_server_error(ctx.item.pos).message))
}
