use std::ops::Deref;

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    serialize::{self, Output, ToSql},
    sql_types as st,
};

/// How many digits of a second PostgreSQL keeps.
const MICROSECONDS: u16 = 6;

/// An instant, written in one way wherever it is answered: in UTC with `Z`, to the microsecond at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = st::Timestamptz)]
pub struct Instant(pub DateTime<Utc>);

impl Instant {
    /// As RFC 3339 writes it.
    pub fn text(&self) -> String {
        self.0.trunc_subsecs(MICROSECONDS).to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

impl Deref for Instant {
    type Target = DateTime<Utc>;

    fn deref(&self) -> &DateTime<Utc> {
        &self.0
    }
}

impl From<DateTime<Utc>> for Instant {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at)
    }
}

impl FromSql<st::Timestamptz, Pg> for Instant {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <DateTime<Utc> as FromSql<st::Timestamptz, Pg>>::from_sql(bytes).map(Self)
    }
}

impl ToSql<st::Timestamptz, Pg> for Instant {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <DateTime<Utc> as ToSql<st::Timestamptz, Pg>>::to_sql(&self.0, out)
    }
}

/// An instant as RFC 3339 writes it: "2030-12-31T23:59:59Z". Inputs may have another offset, and
/// fractions of a second, of which microseconds are kept.
#[Scalar(name = "DateTime")]
impl ScalarType for Instant {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let at = DateTime::parse_from_rfc3339(text).map_err(InputValueError::custom)?;
        Ok(Self(at.to_utc().trunc_subsecs(MICROSECONDS)))
    }

    fn to_value(&self) -> Value {
        Value::String(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_in_one_way() {
        for (given, written) in [
            ("2030-12-31T23:59:59Z", "2030-12-31T23:59:59Z"),
            ("2030-12-31T23:59:59+00:00", "2030-12-31T23:59:59Z"),
            ("2031-01-01T00:59:59.5+01:00", "2030-12-31T23:59:59.500Z"),
            ("2030-12-31T23:59:59.123456789Z", "2030-12-31T23:59:59.123456Z"),
        ] {
            let at = Instant::parse(Value::from(given)).unwrap_or_else(|_| panic!("{given}"));
            assert_eq!(at.text(), written);
        }
        for bad in ["2030-12-31", "2030-12-31T23:59:59", "now", ""] {
            assert!(Instant::parse(Value::from(bad)).is_err(), "{bad}");
        }
    }
}
