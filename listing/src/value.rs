use chrono::{DateTime, Datelike, Utc};
use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::AstPass,
    sql_types::{self as st, SqlType},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The value of a field, without its type: in a filter, in a cursor.
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
    /// An instant in microseconds.
    #[serde(rename = "d")]
    Instant(DateTime<Utc>),
    /// An id.
    #[serde(rename = "u")]
    Uuid(Uuid),
}

/// What kind of value a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `text`
    Text,
    /// `integer`
    Integer,
    /// `timestamptz`
    Instant,
    /// `uuid`
    Uuid,
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
            Self::Instant(value) => out.push_bind_param::<st::Timestamptz, _>(value),
            Self::Uuid(value) => out.push_bind_param::<st::Uuid, _>(value),
        }
    }

    /// Whether a column of this kind can hold the value.
    pub(crate) fn fits(&self, kind: Kind, nullable: bool) -> bool {
        match self {
            Self::Null => nullable,
            Self::Text(text) => kind == Kind::Text && !text.contains('\0'),
            Self::Integer(_) => kind == Kind::Integer,
            // Beyond these years PostgreSQL and RFC 3339 part ways.
            Self::Instant(at) => kind == Kind::Instant && (0..=9999).contains(&at.year()),
            Self::Uuid(_) => kind == Kind::Uuid,
        }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value)
    }
}

impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Self {
        Self::Instant(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Ties a column's SQL type to the kind of its values, at compile time.
pub trait ColumnKind: SqlType {
    /// The kind.
    const KIND: Kind;
    /// Whether the column may be null.
    const NULLABLE: bool = false;
}

impl ColumnKind for st::Text {
    const KIND: Kind = Kind::Text;
}
impl ColumnKind for st::Integer {
    const KIND: Kind = Kind::Integer;
}
impl ColumnKind for st::Timestamptz {
    const KIND: Kind = Kind::Instant;
}
impl<T: ColumnKind<IsNull = st::is_nullable::NotNull>> ColumnKind for st::Nullable<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
}
