use diesel::{QueryResult, pg::Pg, query_builder::AstPass, sql_types as st};
use uuid::Uuid;

use crate::{Direction, Value, order::Key};

/// A condition on the rows of one table, erased: plain data that renders as SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The column holds this value.
    Is(&'static str, Value),
    /// The column holds one of these ids.
    OneOf(&'static str, Vec<Uuid>),
    /// The column is empty.
    Empty(&'static str),
    /// The column equals the id of the parent in a statement for many parents.
    OfParent(&'static str),
    /// The row lies beyond these values of these keys.
    Beyond(Beyond),
}

/// A keyset bound: what follows (or precedes) a row in an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Beyond {
    keys: Vec<Key>,
    values: Vec<Value>,
    reversed: bool,
}

impl Condition {
    pub(crate) fn beyond(keys: Vec<Key>, values: Vec<Value>, reversed: bool) -> Self {
        Self::Beyond(Beyond { keys, values, reversed })
    }

    pub(crate) fn render<'b>(&'b self, table: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Is(column, value) => {
                name(out, table, column)?;
                out.push_sql(" = ");
                value.push(out)
            }
            Self::OneOf(column, ids) => {
                name(out, table, column)?;
                out.push_sql(" = ANY(");
                out.push_bind_param::<st::Array<st::Uuid>, _>(ids)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Empty(column) => {
                name(out, table, column)?;
                out.push_sql(" IS NULL");
                Ok(())
            }
            Self::OfParent(column) => {
                name(out, table, column)?;
                out.push_sql(" = parent.id");
                Ok(())
            }
            Self::Beyond(beyond) => beyond.render(table, out),
        }
    }
}

impl Beyond {
    /// A row comparison where all keys run one way and none is ever null: PostgreSQL answers it
    /// from an index alone. Otherwise the same spelled out, key by key.
    fn render<'b>(&'b self, table: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let first = self.keys.first().map(|key| key.direction);
        if self.keys.iter().all(|key| !key.nullable && Some(key.direction) == first) {
            return self.render_row(table, out);
        }
        out.push_sql("(");
        for upto in 0..self.keys.len() {
            if upto > 0 {
                out.push_sql(" OR ");
            }
            out.push_sql("(");
            for (at, (key, value)) in self.keys.iter().zip(&self.values).take(upto + 1).enumerate() {
                if at > 0 {
                    out.push_sql(" AND ");
                }
                if at == upto {
                    self.further(key, value, table, out)?
                } else {
                    equal(key, value, table, out)?
                }
            }
            out.push_sql(")");
        }
        out.push_sql(")");
        Ok(())
    }

    fn render_row<'b>(&'b self, table: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let rising = self.keys.first().is_some_and(|key| self.rises(key));
        out.push_sql("(");
        for (at, key) in self.keys.iter().enumerate() {
            out.push_sql(if at > 0 { ", " } else { "" });
            name(out, table, key.column)?;
        }
        out.push_sql(if rising { ") > (" } else { ") < (" });
        for (at, value) in self.values.iter().enumerate() {
            out.push_sql(if at > 0 { ", " } else { "" });
            value.push(out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    fn rises(&self, key: &Key) -> bool {
        (key.direction == Direction::Asc) != self.reversed
    }

    /// Strictly beyond the value in this key. Nulls count as larger than every value.
    fn further<'b>(
        &'b self,
        key: &'b Key,
        value: &'b Value,
        table: &str,
        out: &mut AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        match (self.rises(key), value) {
            (true, Value::Null) => out.push_sql("FALSE"),
            (false, Value::Null) => {
                name(out, table, key.column)?;
                out.push_sql(" IS NOT NULL");
            }
            (rising, value) => {
                out.push_sql("(");
                name(out, table, key.column)?;
                out.push_sql(if rising { " > " } else { " < " });
                value.push(out)?;
                if rising && key.nullable {
                    out.push_sql(" OR ");
                    name(out, table, key.column)?;
                    out.push_sql(" IS NULL");
                }
                out.push_sql(")");
            }
        }
        Ok(())
    }
}

fn equal<'b>(key: &'b Key, value: &'b Value, table: &str, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    name(out, table, key.column)?;
    if *value == Value::Null {
        out.push_sql(" IS NULL");
        return Ok(());
    }
    out.push_sql(" = ");
    value.push(out)
}

pub(crate) fn name(out: &mut AstPass<'_, '_, Pg>, table: &str, column: &str) -> QueryResult<()> {
    out.push_identifier(table)?;
    out.push_sql(".");
    out.push_identifier(column)
}
