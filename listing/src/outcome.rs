//! Fields that fail alone.
//!
//! A field that fails is answered as null, and the fields beside it are kept: the answer of a
//! mutation that has been committed must not be lost with them. The execution library does so in
//! version 7 and not in version 8, where a resolver's error ends the object around it. So no
//! resolver of a field that can fail hands its error to the library as a result: the error is
//! noted, and the field is null.

use std::borrow::Cow;

use async_graphql::{
    ContainerType, Context, ContextBase, ContextSelectionSet, ObjectType, OutputType, Positioned,
    ServerError, ServerResult, Value, parser::types::Field, registry::Registry,
    resolver_utils::resolve_container,
};
use tenancy::Failure;

/// What a resolver answers, or why it failed. In the schema it is nullable.
pub struct Outcome<T>(Result<T, Failure>);

impl<T> From<Result<T, Failure>> for Outcome<T> {
    fn from(result: Result<T, Failure>) -> Self {
        Self(result)
    }
}

impl<T: OutputType> OutputType for Outcome<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::type_name().into_owned()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry);
        T::type_name().into_owned()
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let answered = match &self.0 {
            Ok(value) => value.resolve(ctx, field).await,
            Err(failure) => {
                let error = async_graphql::Error::from(failure.clone());
                Err(ctx.set_error_path(error.into_server_error(field.pos)))
            }
        };
        Ok(noted(ctx, answered))
    }
}

/// An object whose fields fail alone: the queries or the mutations of a schema.
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
