//! The statements that read rows.

use diesel::{QueryResult, pg::Pg, query_builder::QueryFragment, sql_types as st};
use uuid::Uuid;

use crate::sql::{
    column::Column,
    condition::{Condition, Table},
    keyset::KeysetBound,
    order::{Key, Via},
    render::{Out, name},
    values::Render,
};

/// Whole rows of one table that meet these conditions.
#[derive(Clone, Debug)]
pub struct Find {
    pub(crate) table: Table,
    pub(crate) conditions: Vec<Condition>,
    /// Whether they stay as they are until the transaction ends. Rows may refer to them meanwhile.
    pub(crate) lock: bool,
}

/// A page of a list. Each row has these columns, then the values of order keys that are not its own,
/// then for each join the related row's id and columns, then the total.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub(crate) table: Table,
    pub(crate) columns: Vec<Column>,
    /// Which rows count.
    pub(crate) filter: Vec<Condition>,
    /// Which of them are wanted.
    pub(crate) bounds: Vec<KeysetBound>,
    pub(crate) order: Vec<Key>,
    /// Runs the order the other way: a page counted from the end.
    pub(crate) reversed: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) joins: Vec<Join>,
    pub(crate) total: bool,
}

/// A relation to one that is read together with the rows, and which of its fields are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Join {
    pub(crate) via: Via,
    pub(crate) columns: Vec<Column>,
}

/// The same page for each of many parents; the parent's id comes last.
pub(crate) struct PerParent {
    pub(crate) parents: Vec<Uuid>,
    pub(crate) select: Select,
}

/// How many rows pass a filter, for each of many parents.
pub(crate) struct CountPerParent {
    pub(crate) parents: Vec<Uuid>,
    pub(crate) table: Table,
    pub(crate) filter: Vec<Condition>,
}

/// Ids of rows that match a text, so many at most. They may be of rows that must not be reached.
pub(crate) struct Candidates {
    pub(crate) table: Table,
    pub(crate) text: String,
    pub(crate) most: usize,
}

/// How many rows pass a filter.
pub(crate) struct Count {
    pub(crate) table: Table,
    pub(crate) filter: Vec<Condition>,
}

impl Find {
    pub(crate) fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: Out<'_, 'b>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT ");
        columns.walk_ast(out.reborrow())?;
        self.table.from(|_| Ok(()), self.conditions.iter(), &mut out)?;
        if self.lock {
            out.push_sql(" FOR NO KEY UPDATE");
        }
        Ok(())
    }
}

impl Render for Select {
    fn render<'b>(&'b self, mut out: Out<'_, 'b>) -> QueryResult<()> {
        if self.joins.is_empty() && !self.total {
            return self.render_page(&mut out);
        }
        // The page first, and only then what belongs to its rows.
        out.push_sql("SELECT page.*");
        for join in &self.joins {
            let alias = join.via.alias();
            out.push_sql(", ");
            name(&alias, "id", &mut out)?;
            for column in &join.columns {
                out.push_sql(", ");
                column.term.render(&alias, 1, &mut out)?;
            }
        }
        if self.total {
            out.push_sql(", (");
            render_count(&self.table, &self.filter, &mut out)?;
            out.push_sql(")");
        }
        out.push_sql(" FROM (");
        self.render_page(&mut out)?;
        out.push_sql(") AS page");
        for join in &self.joins {
            join.via.join("page", &mut out)?;
        }
        let mut foreign = 0;
        for (at, key) in self.order.iter().enumerate() {
            out.push_sql(if at == 0 { " ORDER BY " } else { ", " });
            if key.via.is_some() {
                name("page", &foreign_key(foreign), &mut out)?;
                foreign += 1;
            } else {
                // Two fields may be one column, which then has the name of the first.
                let selected = self.columns.iter().find(|column| column.term == key.column.term);
                name("page", selected.unwrap_or(&key.column).alias(), &mut out)?;
            }
            out.push_sql(key.direction.reversed(self.reversed).sql(key.is_nullable()));
        }
        Ok(())
    }
}

impl Select {
    /// These columns of the rows with these ids.
    pub(crate) fn by_id(table: Table, columns: Vec<Column>, ids: Vec<Uuid>) -> Self {
        Self {
            table,
            columns,
            filter: vec![Condition::ids(ids)],
            bounds: vec![],
            order: vec![],
            reversed: false,
            limit: None,
            joins: vec![],
            total: false,
        }
    }

    fn render_page<'b>(&'b self, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        for (at, column) in self.columns.iter().enumerate() {
            out.push_sql(if at == 0 { "" } else { ", " });
            column.term.render(self.table.name(), 1, out)?;
            if column.term.column().is_none() {
                out.push_sql(" AS ");
                out.push_identifier(column.alias())?;
            }
        }
        for (number, key) in self.order.iter().filter(|key| key.via.is_some()).enumerate() {
            out.push_sql(", ");
            key.render(self.table.name(), out)?;
            out.push_sql(" AS ");
            out.push_identifier(&foreign_key(number))?;
        }
        let joins =
            |out: &mut Out<'_, 'b>| join_each(self.order.iter().map(|key| &key.via), &self.table, out);
        let mut and = self.table.from(joins, self.filter.iter(), out)?;
        for bound in &self.bounds {
            and.next(out);
            bound.render(self.table.name(), out)?;
        }
        for (at, key) in self.order.iter().enumerate() {
            out.push_sql(if at == 0 { " ORDER BY " } else { ", " });
            key.render(self.table.name(), out)?;
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

/// Joins each of these relations once.
pub(crate) fn join_each<'b>(
    vias: impl Iterator<Item = &'b Option<Via>>,
    table: &Table,
    out: &mut Out<'_, 'b>,
) -> QueryResult<()> {
    let mut joined: Vec<&Via> = vec![];
    for via in vias.flatten() {
        if !joined.contains(&via) {
            via.join(table.name(), out)?;
            joined.push(via);
        }
    }
    Ok(())
}

fn render_count<'b>(table: &'b Table, filter: &'b [Condition], out: &mut Out<'_, 'b>) -> QueryResult<()> {
    out.push_sql("SELECT count(*)");
    table.from(|_| Ok(()), filter.iter(), out).map(drop)
}

impl Render for PerParent {
    // Parents without children answer no row. A correlated LATERAL runs as a nested loop, so each
    // parent's children keep their order.
    fn render<'b>(&'b self, mut out: Out<'_, 'b>) -> QueryResult<()> {
        out.push_sql("SELECT child.*, parent.id FROM ");
        render_parents(&self.parents, &mut out)?;
        out.push_sql(" CROSS JOIN LATERAL (");
        self.select.render(out.reborrow())?;
        out.push_sql(") AS child");
        Ok(())
    }
}

fn render_parents<'b>(parents: &'b Vec<Uuid>, out: &mut Out<'_, 'b>) -> QueryResult<()> {
    out.push_sql("unnest(");
    out.push_bind_param::<st::Array<st::Uuid>, _>(parents)?;
    out.push_sql(") AS parent(id)");
    Ok(())
}

impl Render for CountPerParent {
    fn render<'b>(&'b self, mut out: Out<'_, 'b>) -> QueryResult<()> {
        out.push_sql("SELECT parent.id, total.count FROM ");
        render_parents(&self.parents, &mut out)?;
        out.push_sql(" CROSS JOIN LATERAL (");
        render_count(&self.table, &self.filter, &mut out)?;
        out.push_sql(") AS total");
        Ok(())
    }
}

impl Render for Count {
    fn render<'b>(&'b self, mut out: Out<'_, 'b>) -> QueryResult<()> {
        render_count(&self.table, &self.filter, &mut out)
    }
}

impl Render for Candidates {
    fn render<'b>(&'b self, mut out: Out<'_, 'b>) -> QueryResult<()> {
        self.table.candidates(&self.text, self.most, &mut out)
    }
}
