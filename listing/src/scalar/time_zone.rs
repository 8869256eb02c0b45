use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono_tz::Tz;
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    sql_types as st,
};

/// The name of a time zone; in the database as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = st::Text)]
pub struct TimeZone(pub Tz);

impl FromSql<st::Text, Pg> for TimeZone {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let name = <String as FromSql<st::Text, Pg>>::from_sql(bytes)?;
        Ok(Self(name.parse()?))
    }
}

/// A time zone by its name in the IANA database: `Europe/Vienna`.
#[Scalar]
impl ScalarType for TimeZone {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(name) = &value else { return Err(InputValueError::expected_type(value)) };
        name.parse().map(Self).map_err(|_| InputValueError::custom(unknown_zone(name)))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.name().to_owned())
    }
}

pub(crate) fn unknown_zone(name: &str) -> String {
    format!("There is no time zone {:?}.", name.chars().take(50).collect::<String>())
}
