//! Fields that can fail: see [`crate::root`].

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry,
};
use tenancy::Failure;

use crate::root::noted;

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
