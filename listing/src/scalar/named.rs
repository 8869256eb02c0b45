use std::{borrow::Cow, io::Write};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry, resolver_utils::EnumType,
};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::Text,
};

/// A GraphQL enum stored as text under the same names, which a check of its column lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub struct Named<T>(pub T);

impl<T: EnumType> Named<T> {
    /// As the database and GraphQL spell it.
    pub fn name(&self) -> &'static str {
        T::items().iter().find(|item| item.value == self.0).map_or("", |item| item.name)
    }
}

/// The value of that name, as the database and GraphQL spell it.
pub fn named<T: EnumType>(name: &str) -> Option<T> {
    T::items().iter().find(|item| item.name == name).map(|item| item.value)
}

impl<T: EnumType> FromSql<Text, Pg> for Named<T> {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let name = <String as FromSql<Text, Pg>>::from_sql(bytes)?;
        named(&name).map(Self).ok_or_else(|| format!("no value is named {name:?}").into())
    }
}

impl<T: EnumType + std::fmt::Debug> ToSql<Text, Pg> for Named<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.name().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<T: EnumType + OutputType> OutputType for Named<T> {
    fn type_name() -> Cow<'static, str> {
        <T as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <T as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        OutputType::resolve(&self.0, ctx, field).await
    }
}
