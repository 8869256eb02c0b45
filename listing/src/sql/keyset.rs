use diesel::QueryResult;

use crate::{
    sql::{
        order::{Direction, Key},
        render::Out,
    },
    value::Value,
};

/// A keyset bound: the rows that follow (or precede) a row in an order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeysetBound {
    keys: Vec<Key>,
    values: Vec<Value>,
    reversed: bool,
}

impl KeysetBound {
    pub(crate) fn new(keys: Vec<Key>, values: Vec<Value>, reversed: bool) -> Self {
        Self { keys, values, reversed }
    }

    /// A row comparison where all keys run one way and none is ever null: PostgreSQL answers it
    /// from an index alone. Otherwise the same spelled out, key by key.
    pub(crate) fn render<'b>(&'b self, table: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let first = self.keys.first().map(|key| key.direction.rises());
        if self.keys.iter().all(|key| !key.is_nullable() && Some(key.direction.rises()) == first) {
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

    fn render_row<'b>(&'b self, table: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let rising = self.keys.first().is_some_and(|key| self.direction(key).rises());
        out.push_sql("(");
        for (at, key) in self.keys.iter().enumerate() {
            out.push_sql(if at > 0 { ", " } else { "" });
            key.render(table, out)?;
        }
        out.push_sql(if rising { ") > (" } else { ") < (" });
        for (at, value) in self.values.iter().enumerate() {
            out.push_sql(if at > 0 { ", " } else { "" });
            value.push(out)?;
        }
        out.push_sql(")");
        Ok(())
    }

    fn direction(&self, key: &Key) -> Direction {
        key.direction.reversed(self.reversed)
    }

    /// Strictly beyond the value in this key.
    fn further<'b>(
        &'b self,
        key: &'b Key,
        value: &'b Value,
        table: &str,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        let direction = self.direction(key);
        match (direction.ends_with_nulls(), value) {
            (true, Value::Null) => out.push_sql("FALSE"),
            (false, Value::Null) => {
                key.render(table, out)?;
                out.push_sql(" IS NOT NULL");
            }
            (nulls_follow, value) => {
                out.push_sql("(");
                key.render(table, out)?;
                out.push_sql(if direction.rises() { " > " } else { " < " });
                value.push(out)?;
                if nulls_follow && key.is_nullable() {
                    out.push_sql(" OR ");
                    key.render(table, out)?;
                    out.push_sql(" IS NULL");
                }
                out.push_sql(")");
            }
        }
        Ok(())
    }
}

fn equal<'b>(key: &'b Key, value: &'b Value, table: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
    key.render(table, out)?;
    if *value == Value::Null {
        out.push_sql(" IS NULL");
        return Ok(());
    }
    out.push_sql(" = ");
    value.push(out)
}
