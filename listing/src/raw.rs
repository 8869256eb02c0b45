//! Arguments as they came in: what is wrong with them is said where they are used, together with
//! its place.

use async_graphql::{Context, Value};
use async_graphql_value::Value as InputValue;

/// What was given for an argument of the field that is being resolved.
///
/// A field of an input whose variable was not given is absent (GraphQL specification, October 2021,
/// section 3.10); the library would say null, and an update would empty what nobody touched.
pub(crate) fn given(ctx: &Context<'_>, argument: &str) -> Option<Value> {
    let arguments = &ctx.item.node.arguments;
    let (_, value) = arguments.iter().find(|(name, _)| name.node == argument)?;
    resolve(ctx, &value.node)
}

fn resolve(ctx: &Context<'_>, given: &InputValue) -> Option<Value> {
    match given {
        // Defaults have been put in when the variables were coerced.
        InputValue::Variable(name) => ctx.query_env.variables.get(name).cloned(),
        InputValue::List(items) => {
            Some(Value::List(items.iter().map(|item| resolve(ctx, item).unwrap_or_default()).collect()))
        }
        InputValue::Object(fields) => {
            let field = |(name, value): (&async_graphql::Name, _)| Some((name.clone(), resolve(ctx, value)?));
            Some(Value::Object(fields.iter().filter_map(field).collect()))
        }
        other => other.clone().into_const(),
    }
}
