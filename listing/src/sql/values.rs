use diesel::{
    deserialize::{self, FromSql, FromSqlRow, QueryableByName, StaticallySizedRow},
    pg::{Pg, PgValue},
    row::{Field, NamedRow, Row},
    sql_types as st,
};
use uuid::Uuid;

use crate::{Decimal, Value};

/// A row of values whose number and kinds only the statement knows: a group, a count.
pub(crate) struct Values(pub(crate) Vec<Value>);

/// A row of an entity's table, and behind its columns others that the statement asked for.
#[derive(Clone, Debug)]
pub struct Wide<E> {
    pub(crate) row: E,
    pub(crate) more: Vec<Value>,
}

impl QueryableByName<Pg> for Values {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        read_from(row, 0).map(Self)
    }
}

/// A [`Wide`] row together with the types of the entity's columns.
pub(crate) struct Typed<E, T>(pub(crate) Wide<E>, std::marker::PhantomData<fn() -> T>);

impl<E, T> QueryableByName<Pg> for Typed<E, T>
where
    E: FromSqlRow<T, Pg> + StaticallySizedRow<T, Pg>,
{
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let columns = E::FIELD_COUNT;
        let own = E::build_from_row(&row.partial_row(0..columns))?;
        Ok(Self(Wide { row: own, more: read_from(row, columns)? }, std::marker::PhantomData))
    }
}

fn read_from<'a>(row: &impl Row<'a, Pg>, first: usize) -> deserialize::Result<Vec<Value>> {
    (first..row.field_count())
        .map(|index| {
            let field = row.get(index).ok_or("the row ended early")?;
            field.value().map_or(Ok(Value::Null), read)
        })
        .collect()
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
