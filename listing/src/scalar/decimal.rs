use std::{borrow::Cow, fmt, str::FromStr};

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use bigdecimal::BigDecimal;
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromSqlRow},
    expression::AsExpression,
    pg::Pg,
    serialize::{self, Output, ToSql},
    sql_types::Numeric,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest decimal that is read.
const MAX_LENGTH: usize = 60;

/// An exact number: money, rates, quantities. Never floating point, on no way in or out.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = Numeric)]
pub struct Decimal(BigDecimal);

impl Decimal {
    /// How many digits stand before the point, and how many behind it.
    pub fn digits(&self) -> (i64, i64) {
        let scale = self.0.fractional_digit_count().max(0);
        let all = i64::try_from(self.0.digits()).unwrap_or(i64::MAX);
        (all.saturating_sub(self.0.fractional_digit_count()).max(1), scale)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self(value.into())
    }
}

/// Digits with an optional sign and point; no exponent, which would let ten bytes mean a gigabyte.
impl FromStr for Decimal {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = "This is not a decimal number such as \"12.50\".";
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'));
        if !plain || text.len() > MAX_LENGTH {
            return Err(malformed);
        }
        text.parse().map(Self).map_err(|_| malformed)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromSql<Numeric, Pg> for Decimal {
    fn from_sql(bytes: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <BigDecimal as FromSql<Numeric, Pg>>::from_sql(bytes).map(Self)
    }
}

impl ToSql<Numeric, Pg> for Decimal {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        <BigDecimal as ToSql<Numeric, Pg>>::to_sql(&self.0, out)
    }
}

/// An exact decimal number as a string, such as "12.50": money and rates are never floating point.
/// Whole numbers may also be written as numbers.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => text.parse().map_err(InputValueError::custom),
            Value::Number(number) if number.is_i64() || number.is_u64() => {
                number.to_string().parse().map_err(InputValueError::custom)
            }
            Value::Number(_) => Err(InputValueError::custom(
                "write a decimal as a string (\"12.50\"): a number with a point is not exact",
            )),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written() {
        for text in ["0", "12.50", "-0.05", "123456789012345678901234567890.123456789"] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_plain_number_is_refused() {
        for text in ["", "1e9", "NaN", "1,5", "١", "--1", "1.2.3", &"1".repeat(MAX_LENGTH + 1)] {
            assert!(text.parse::<Decimal>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn digits_are_counted_on_both_sides_of_the_point() {
        let digits = |text: &str| text.parse::<Decimal>().unwrap().digits();
        assert_eq!((digits("12.50"), digits("0.005"), digits("1200")), ((2, 2), (1, 3), (4, 0)));
    }

    #[test]
    fn floating_point_is_refused() {
        let number = serde_json::Number::from_f64(12.5).unwrap();
        assert!(ScalarType::parse(Value::Number(number)).map(|_: Decimal| ()).is_err());
    }
}
