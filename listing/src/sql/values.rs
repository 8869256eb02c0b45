//! Statements that answer values, and the rows that they answer.

use diesel::{
    QueryResult,
    deserialize::{self, FromSql, QueryableByName},
    pg::{Pg, PgValue},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    row::{Field, NamedRow, Row},
    sql_types as st,
};
use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use crate::{scalar::decimal::Decimal, sql::render::Out, value::Value};

/// A row of values whose number and kinds only the statement knows: of a list, a group, a count.
#[derive(Clone, Debug)]
pub(crate) struct Values(pub(crate) Vec<Value>);

impl Values {
    /// The value at this place.
    pub(crate) fn at(&self, place: usize) -> &Value {
        self.0.get(place).unwrap_or(&Value::Null)
    }

    /// The id at this place, if one stands there.
    pub(crate) fn id(&self, place: usize) -> Option<Uuid> {
        match self.at(place) {
            Value::Uuid(id) => Some(*id),
            _ => None,
        }
    }

    /// The count at the end.
    pub(crate) fn count(&self) -> Option<i64> {
        match self.0.last() {
            Some(Value::Long(count)) => Some(*count),
            _ => None,
        }
    }
}

impl QueryableByName<Pg> for Values {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let value = |place| {
            let field = Row::get(row, place).ok_or("the row ended early")?;
            field.value().map_or(Ok(Value::Null), read)
        };
        (0..row.field_count()).map(value).collect::<Result<_, _>>().map(Self)
    }
}

/// A value by the type that PostgreSQL sent with it.
fn read(value: PgValue<'_>) -> deserialize::Result<Value> {
    // Fixed for ever in PostgreSQL's pg_type.dat.
    Ok(match value.get_oid().get() {
        16 => Value::Boolean(FromSql::<st::Bool, Pg>::from_sql(value)?),
        20 => Value::Long(FromSql::<st::BigInt, Pg>::from_sql(value)?),
        23 => Value::Integer(FromSql::<st::Integer, Pg>::from_sql(value)?),
        25 => Value::Text(FromSql::<st::Text, Pg>::from_sql(value)?),
        1009 => Value::Texts(FromSql::<st::Array<st::Text>, Pg>::from_sql(value)?),
        1082 => Value::Date(FromSql::<st::Date, Pg>::from_sql(value)?),
        1184 => Value::Instant(FromSql::<st::Timestamptz, Pg>::from_sql(value)?),
        1700 => Value::Decimal(<Decimal as FromSql<st::Numeric, Pg>>::from_sql(value)?),
        2950 => Value::Uuid(<Uuid as FromSql<st::Uuid, Pg>>::from_sql(value)?),
        3802 => Value::Json(FromSql::<st::Jsonb, Pg>::from_sql(value)?),
        oid => return Err(format!("no value is known of the type {oid}").into()),
    })
}

/// A statement that answers values.
pub(crate) trait Render: Send {
    /// Writes it as SQL.
    fn render<'b>(&'b self, out: Out<'_, 'b>) -> QueryResult<()>;
}

/// Such a statement, as diesel runs it.
struct Valued<S>(S);

impl<S> QueryId for Valued<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S> Query for Valued<S> {
    type SqlType = st::Untyped;
}

impl<S: Render> QueryFragment<Pg> for Valued<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.render(out)
    }
}

/// The rows of such a statement, in a transaction of its own.
pub(crate) async fn values<S: Render>(scope: &Scope, statement: S) -> Result<Vec<Values>, Failure> {
    scope.rows(Valued(statement)).await
}

/// The rows of such a statement inside a write.
pub(crate) async fn values_in<S: Render>(tx: &Tx, statement: S) -> Result<Vec<Values>, Failure> {
    tx.rows(Valued(statement)).await
}
