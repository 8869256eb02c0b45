use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, QueryFragment},
    sql_types as st,
};
use uuid::Uuid;

use crate::{
    Condition,
    read::order::{Key, Via},
    read::selection::Join,
    sql::condition::name,
    sql::statement::Render,
};

/// Rows of one table. Behind the columns of each row come the values of order keys that are not its
/// own, for each join the related row's id and wanted columns, and the total.
#[derive(Clone, Debug)]
pub struct Select {
    pub(crate) table: &'static str,
    /// Which rows count.
    pub(crate) filter: Vec<Condition>,
    /// Which of them are wanted.
    pub(crate) bounds: Vec<Condition>,
    pub(crate) order: Vec<Key>,
    /// Runs the order the other way: a page counted from the end.
    pub(crate) reversed: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) joins: Vec<Join>,
    pub(crate) total: bool,
}

/// The same rows for each of many parents; the parent's id comes last.
#[derive(Clone, Debug)]
pub struct PerParent {
    pub(crate) parents: Vec<Uuid>,
    pub(crate) select: Select,
}

/// How many rows pass a filter, for each of many parents.
pub(crate) struct CountPerParent {
    pub(crate) parents: Vec<Uuid>,
    pub(crate) table: &'static str,
    pub(crate) filter: Vec<Condition>,
}

/// How many rows pass a filter.
pub(crate) struct Count {
    pub(crate) table: &'static str,
    pub(crate) filter: Vec<Condition>,
}

impl Select {
    /// All rows of a table that meet these conditions.
    pub(crate) fn all(table: &'static str, filter: Vec<Condition>) -> Self {
        Self {
            table,
            filter,
            bounds: vec![],
            order: vec![],
            reversed: false,
            limit: None,
            joins: vec![],
            total: false,
        }
    }

    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        if self.joins.is_empty() && !self.total {
            return self.render_page(columns, out);
        }
        // The page first, and only then what belongs to its rows.
        out.push_sql("SELECT page.*");
        for join in &self.joins {
            let alias = join.via.alias();
            for column in std::iter::once("id").chain(join.shapes.iter().map(|shape| shape.column)) {
                out.push_sql(", ");
                name(&mut out, &alias, column)?;
            }
        }
        if self.total {
            out.push_sql(", (");
            render_count(self.table, &self.filter, &mut out)?;
            out.push_sql(")");
        }
        out.push_sql(" FROM (");
        self.render_page(columns, out.reborrow())?;
        out.push_sql(") AS page");
        for join in &self.joins {
            join.via.join("page", &mut out)?;
        }
        let mut foreign = 0;
        for (at, key) in self.order.iter().enumerate() {
            out.push_sql(if at == 0 { " ORDER BY " } else { ", " });
            if key.via.is_some() {
                name(&mut out, "page", &foreign_key(foreign))?;
                foreign += 1;
            } else {
                name(&mut out, "page", key.shape.column)?;
            }
            out.push_sql(key.direction.reversed(self.reversed).sql(key.is_nullable()));
        }
        Ok(())
    }

    fn render_page<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT ");
        columns.walk_ast(out.reborrow())?;
        for (number, key) in self.order.iter().filter(|key| key.via.is_some()).enumerate() {
            out.push_sql(", ");
            key.render(self.table, &mut out)?;
            out.push_sql(" AS ");
            out.push_identifier(&foreign_key(number))?;
        }
        out.push_sql(" FROM ");
        out.push_identifier(self.table)?;
        let mut joined: Vec<Via> = vec![];
        for via in self.order.iter().filter_map(|key| key.via) {
            if !joined.contains(&via) {
                via.join(self.table, &mut out)?;
                joined.push(via);
            }
        }
        render_where(self.table, self.filter.iter().chain(&self.bounds), &mut out)?;
        for (at, key) in self.order.iter().enumerate() {
            out.push_sql(if at == 0 { " ORDER BY " } else { ", " });
            key.render(self.table, &mut out)?;
            out.push_sql(key.direction.reversed(self.reversed).sql(key.is_nullable()));
        }
        if let Some(limit) = self.limit {
            // Not bound: PostgreSQL plans a statement with a bound limit anew each time, and there
            // are few of them.
            out.push_sql(&format!(" LIMIT {limit}"));
        }
        Ok(())
    }
}

fn foreign_key(number: usize) -> String {
    format!("key{number}")
}

pub(crate) fn render_where<'b>(
    table: &str,
    conditions: impl Iterator<Item = &'b Condition>,
    out: &mut AstPass<'_, 'b, Pg>,
) -> QueryResult<()> {
    for (at, condition) in conditions.enumerate() {
        out.push_sql(if at == 0 { " WHERE " } else { " AND " });
        condition.render(table, 1, out)?;
    }
    Ok(())
}

fn render_count<'b>(table: &str, filter: &'b [Condition], out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    out.push_sql("SELECT count(*) FROM ");
    out.push_identifier(table)?;
    render_where(table, filter.iter(), out)
}

impl PerParent {
    // Parents without children answer no row. A correlated LATERAL runs as a nested loop, so each
    // parent's children keep their order.
    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT child.*, parent.id FROM ");
        render_parents(&self.parents, &mut out)?;
        out.push_sql(" CROSS JOIN LATERAL (");
        self.select.render(columns, out.reborrow())?;
        out.push_sql(") AS child");
        Ok(())
    }
}

fn render_parents<'b>(parents: &'b Vec<Uuid>, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
    out.push_sql("unnest(");
    out.push_bind_param::<st::Array<st::Uuid>, _>(parents)?;
    out.push_sql(") AS parent(id)");
    Ok(())
}

impl Render for CountPerParent {
    fn render<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT parent.id, total.count FROM ");
        render_parents(&self.parents, &mut out)?;
        out.push_sql(" CROSS JOIN LATERAL (");
        render_count(self.table, &self.filter, &mut out)?;
        out.push_sql(") AS total");
        Ok(())
    }
}

impl Render for Count {
    fn render<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        render_count(self.table, &self.filter, &mut out)
    }
}
