use chrono::{DateTime, NaiveDate, Utc};
use diesel::{QueryResult, pg::Pg, query_builder::AstPass, sql_types as st};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::scalar::{date::Date, decimal::Decimal};

/// The value of a field, without its type: in a filter, in a cursor, in a row of an aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Value {
    /// The absence of one.
    #[serde(rename = "n")]
    Null,
    /// Text of any length.
    #[serde(rename = "t")]
    Text(String),
    /// A whole number of 32 bits.
    #[serde(rename = "i")]
    Integer(i32),
    /// A whole number of 64 bits: a count.
    #[serde(rename = "l")]
    Long(i64),
    /// An exact number.
    #[serde(rename = "m")]
    Decimal(Decimal),
    /// Yes or no.
    #[serde(rename = "b")]
    Boolean(bool),
    /// An instant in microseconds.
    #[serde(rename = "d")]
    Instant(DateTime<Utc>),
    /// A day of the calendar.
    #[serde(rename = "y")]
    Date(NaiveDate),
    /// An id.
    #[serde(rename = "u")]
    Uuid(Uuid),
    /// Several texts.
    #[serde(skip)]
    Texts(Vec<String>),
    /// Anything that JSON can say.
    #[serde(skip)]
    Json(serde_json::Value),
}

impl Value {
    /// Binds the value; a null has no type here and is never bound.
    pub(crate) fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Null => {
                out.push_sql("NULL");
                Ok(())
            }
            Self::Text(value) => out.push_bind_param::<st::Text, _>(value),
            Self::Integer(value) => out.push_bind_param::<st::Integer, _>(value),
            Self::Long(value) => out.push_bind_param::<st::BigInt, _>(value),
            Self::Decimal(value) => out.push_bind_param::<st::Numeric, _>(value),
            Self::Boolean(value) => out.push_bind_param::<st::Bool, _>(value),
            Self::Instant(value) => out.push_bind_param::<st::Timestamptz, _>(value),
            Self::Date(value) => out.push_bind_param::<st::Date, _>(value),
            Self::Uuid(value) => out.push_bind_param::<st::Uuid, _>(value),
            Self::Texts(value) => out.push_bind_param::<st::Array<st::Text>, _>(value),
            Self::Json(value) => out.push_bind_param::<st::Jsonb, _>(value),
        }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value)
    }
}

impl From<&Decimal> for Value {
    fn from(value: &Decimal) -> Self {
        Self::Decimal(value.clone())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Instant(value)
    }
}

impl From<Date> for Value {
    fn from(value: Date) -> Self {
        Self::Date(value.0)
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

impl From<&Vec<String>> for Value {
    fn from(value: &Vec<String>) -> Self {
        Self::Texts(value.clone())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
