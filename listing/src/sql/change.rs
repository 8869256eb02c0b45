//! The statements that change rows.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, QueryFragment},
    sql_types as st,
};
use uuid::Uuid;

use crate::{Value, field::Shape};

/// Adds rows, all with the same columns.
#[derive(Clone, Debug)]
pub struct Insert {
    pub(crate) table: &'static str,
    pub(crate) shapes: Vec<Shape>,
    /// Id and values of each row, in the order of the shapes; nothing for what the table fills in.
    pub(crate) rows: Vec<(Uuid, Vec<Option<Value>>)>,
}

/// Changes columns of the row with this id, if it is there, not deleted, and in this revision.
#[derive(Clone, Debug)]
pub struct Update {
    pub(crate) table: &'static str,
    pub(crate) id: Uuid,
    pub(crate) revision: i32,
    pub(crate) changes: Vec<(Shape, Value)>,
}

/// Sets or clears the mark of deletion.
#[derive(Clone, Debug)]
pub struct Mark {
    pub(crate) table: &'static str,
    pub(crate) id: Uuid,
    pub(crate) revision: i32,
    pub(crate) deleted: bool,
}

impl Insert {
    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("INSERT INTO ");
        out.push_identifier(self.table)?;
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
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        out.push_identifier(self.table)?;
        // The trigger sets updated_at; naming it here keeps an empty change a valid statement.
        out.push_sql(" SET updated_at = updated_at");
        for (shape, value) in &self.changes {
            out.push_sql(", ");
            out.push_identifier(shape.column)?;
            out.push_sql(" = ");
            shape.kind.push(value, &mut out)?;
        }
        current(&self.id, &self.revision, &mut out)?;
        out.push_sql(" AND deleted_at IS NULL");
        returning(columns, out)
    }
}

impl Mark {
    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        out.push_identifier(self.table)?;
        out.push_sql(if self.deleted { " SET deleted_at = service_now()" } else { " SET deleted_at = NULL" });
        current(&self.id, &self.revision, &mut out)?;
        out.push_sql(if self.deleted { " AND deleted_at IS NULL" } else { " AND deleted_at IS NOT NULL" });
        returning(columns, out)
    }
}

fn current<'b>(id: &'b Uuid, revision: &'b i32, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    out.push_sql(" WHERE id = ");
    out.push_bind_param::<st::Uuid, _>(id)?;
    out.push_sql(" AND revision = ");
    out.push_bind_param::<st::Integer, _>(revision)
}

fn returning<'b, C: QueryFragment<Pg>>(columns: &'b C, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    out.push_sql(" RETURNING ");
    columns.walk_ast(out)
}
