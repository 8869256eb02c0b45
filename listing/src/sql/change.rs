//! The statements that change rows.

use diesel::{QueryResult, pg::Pg, query_builder::QueryFragment, sql_types as st};
use uuid::Uuid;

use crate::{
    field::Shape,
    sql::{
        condition::{Condition, Table},
        render::Out,
    },
    value::Value,
};

/// Adds rows, all with the same columns.
#[derive(Clone, Debug)]
pub struct Insert {
    pub(crate) table: Table,
    pub(crate) shapes: Vec<Shape>,
    /// Id and values of each row, in the order of the shapes; nothing for what the table fills in.
    pub(crate) rows: Vec<(Uuid, Vec<Option<Value>>)>,
}

/// Changes columns of the rows that meet these conditions: the one with an id, in a revision.
#[derive(Clone, Debug)]
pub struct Update {
    pub(crate) table: Table,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) changes: Vec<(Shape, Value)>,
}

/// Sets or clears the time of deletion of the rows that meet these conditions.
#[derive(Clone, Debug)]
pub struct SoftDelete {
    pub(crate) table: Table,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) deleted: bool,
}

impl Insert {
    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: Out<'_, 'b>,
    ) -> QueryResult<()> {
        self.table.insert(&mut out)?;
        out.push_sql(" (id");
        for shape in &self.shapes {
            out.push_sql(", ");
            out.push_identifier(shape.column)?;
        }
        out.push_sql(") VALUES ");
        for (at, (id, values)) in self.rows.iter().enumerate() {
            out.push_sql(if at == 0 { "(" } else { ", (" });
            out.push_bind_param::<st::Uuid, _>(id)?;
            for (shape, value) in self.shapes.iter().zip(values) {
                out.push_sql(", ");
                match value {
                    Some(value) => shape.kind.push(value, &mut out)?,
                    None => out.push_sql("DEFAULT"),
                }
            }
            out.push_sql(")");
        }
        returning(columns, out)
    }
}

impl Update {
    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: Out<'_, 'b>,
    ) -> QueryResult<()> {
        let values = |out: &mut Out<'_, 'b>| {
            // The trigger sets updated_at; naming it here keeps an empty change a valid statement.
            out.push_sql("updated_at = updated_at");
            for (shape, value) in &self.changes {
                out.push_sql(", ");
                out.push_identifier(shape.column)?;
                out.push_sql(" = ");
                shape.kind.push(value, out)?;
            }
            Ok(())
        };
        self.table.update(values, self.conditions.iter(), &mut out)?;
        returning(columns, out)
    }
}

impl SoftDelete {
    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: Out<'_, 'b>,
    ) -> QueryResult<()> {
        let values = |out: &mut Out<'_, 'b>| {
            out.push_sql(if self.deleted { "deleted_at = service_now()" } else { "deleted_at = NULL" });
            Ok(())
        };
        self.table.update(values, self.conditions.iter(), &mut out)?;
        returning(columns, out)
    }
}

fn returning<'b, C: QueryFragment<Pg>>(columns: &'b C, mut out: Out<'_, 'b>) -> QueryResult<()> {
    out.push_sql(" RETURNING ");
    columns.walk_ast(out)
}
