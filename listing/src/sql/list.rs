use chrono::{DateTime, NaiveDate, Utc};
use diesel::{QueryResult, pg::Pg, query_builder::AstPass, sql_types as st};
use uuid::Uuid;

use crate::{scalar::decimal::Decimal, value::Value};

/// Several values of one kind, bound as one array: so that the text of a statement does not depend on
/// how many there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// Of texts, and names of an enum.
    Texts(Vec<String>),
    /// Of whole numbers.
    Integers(Vec<i32>),
    /// Of exact numbers.
    Decimals(Vec<Decimal>),
    /// Of instants.
    Instants(Vec<DateTime<Utc>>),
    /// Of days.
    Dates(Vec<NaiveDate>),
    /// Of ids.
    Uuids(Vec<Uuid>),
}

impl List {
    /// These values as a list, unless they are of different kinds, or of one that has no lists.
    pub(crate) fn of(values: Vec<Value>) -> Option<Self> {
        fn all<T>(values: Vec<Value>, one: impl Fn(Value) -> Option<T>) -> Option<Vec<T>> {
            values.into_iter().map(one).collect()
        }
        Some(match values.first() {
            None => Self::Texts(vec![]),
            Some(Value::Text(_)) => {
                Self::Texts(all(values, |value| if let Value::Text(it) = value { Some(it) } else { None })?)
            }
            Some(Value::Integer(_)) => {
                Self::Integers(all(
                    values,
                    |value| if let Value::Integer(it) = value { Some(it) } else { None },
                )?)
            }
            Some(Value::Decimal(_)) => {
                Self::Decimals(all(
                    values,
                    |value| if let Value::Decimal(it) = value { Some(it) } else { None },
                )?)
            }
            Some(Value::Instant(_)) => {
                Self::Instants(all(
                    values,
                    |value| if let Value::Instant(it) = value { Some(it) } else { None },
                )?)
            }
            Some(Value::Date(_)) => {
                Self::Dates(all(values, |value| if let Value::Date(it) = value { Some(it) } else { None })?)
            }
            Some(Value::Uuid(_)) => {
                Self::Uuids(all(values, |value| if let Value::Uuid(it) = value { Some(it) } else { None })?)
            }
            Some(_) => return None,
        })
    }

    pub(crate) fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Texts(list) => out.push_bind_param::<st::Array<st::Text>, _>(list),
            Self::Integers(list) => out.push_bind_param::<st::Array<st::Integer>, _>(list),
            Self::Decimals(list) => out.push_bind_param::<st::Array<st::Numeric>, _>(list),
            Self::Instants(list) => out.push_bind_param::<st::Array<st::Timestamptz>, _>(list),
            Self::Dates(list) => out.push_bind_param::<st::Array<st::Date>, _>(list),
            Self::Uuids(list) => out.push_bind_param::<st::Array<st::Uuid>, _>(list),
        }
    }
}
