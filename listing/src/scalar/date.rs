use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::NaiveDate;
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    serialize::{self, Output, ToSql},
    sql_types as st,
};

/// A day of the calendar, in no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = st::Date)]
pub struct Date(pub NaiveDate);

impl FromSql<st::Date, Pg> for Date {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <NaiveDate as FromSql<st::Date, Pg>>::from_sql(bytes).map(Self)
    }
}

impl ToSql<st::Date, Pg> for Date {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <NaiveDate as ToSql<st::Date, Pg>>::to_sql(&self.0, out)
    }
}

/// A day of the calendar as ISO 8601 writes it: "2030-12-31".
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        // Written as it was read: the library would also take 2030-1-1.
        let day = day.filter(|day| day.to_string() == *text);
        day.map(Self).ok_or_else(|| InputValueError::custom("this is not a day such as \"2030-12-31\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}
