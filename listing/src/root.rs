//! A failed field is null, and its neighbours keep their values: the answer of a mutation that has
//! been committed must not be lost with them.
//!
//! Version 7 of the execution library keeps the neighbours by itself. In version 8 a resolver's
//! error ends the object around it. So no resolver of a field that can fail hands its error to the
//! library as a result: the error is noted, and the field is null. `tests/next` builds this file with
//! both versions.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextBase, ContextSelectionSet, ObjectType, OutputType, Positioned,
    ServerError, ServerResult, Value, parser::types::Field, registry::Registry,
    resolver_utils::resolve_container,
};

/// The queries or the mutations of a schema, each of which fails alone.
#[derive(Default)]
pub struct Root<T>(T);

impl<T: ObjectType> OutputType for Root<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl<T: ObjectType> ContainerType for Root<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match self.0.resolve_field(ctx).await {
            Ok(answer) => Ok(answer),
            Err(error) => Ok(Some(noted(ctx, Err(error)))),
        }
    }
}

impl<T: ObjectType> ObjectType for Root<T> {}

/// The answer of a field; null where it failed, and its error among those of the request.
pub(crate) fn noted<T>(ctx: &ContextBase<'_, T>, answer: Result<Value, ServerError>) -> Value {
    answer.unwrap_or_else(|error| {
        ctx.add_error(error);
        Value::Null
    })
}
