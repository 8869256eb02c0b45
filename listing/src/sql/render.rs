//! Writes tables and conditions as SQL. No other place writes the name of a table: so nothing reads
//! rows without the conditions that stand for every read of them.

use diesel::{QueryResult, pg::Pg, query_builder::AstPass, sql_types as st};

use crate::sql::condition::{Condition, Path, Rows, Table};

/// The SQL that is being written.
pub(crate) type Out<'a, 'b> = AstPass<'a, 'b, Pg>;

/// A column of what the statement calls `table`.
pub(crate) fn name(table: &str, column: &str, out: &mut Out<'_, '_>) -> QueryResult<()> {
    out.push_identifier(table)?;
    out.push_sql(".");
    out.push_identifier(column)
}

/// Conditions that are separated by ` AND `, the first of them by something else.
pub(crate) struct Conjunction(&'static str);

impl Conjunction {
    /// Of which none has been written yet.
    pub(crate) const WHERE: Self = Self(" WHERE ");

    /// Writes what stands before the next condition.
    pub(crate) fn next(&mut self, out: &mut Out<'_, '_>) {
        out.push_sql(std::mem::replace(&mut self.0, " AND "));
    }
}

impl Table {
    /// What the statement calls the table unless it gives it an alias.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// ` FROM table` with these joins, ` WHERE` its rows may be reached and meet the conditions; more of
    /// them may follow.
    pub(crate) fn from<'b>(
        &'b self,
        joins: impl FnOnce(&mut Out<'_, 'b>) -> QueryResult<()>,
        conditions: impl Iterator<Item = &'b Condition>,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<Conjunction> {
        out.push_sql(" FROM ");
        out.push_identifier(self.name)?;
        joins(out)?;
        self.wheres(Conjunction::WHERE, self.name, 1, conditions, out)
    }

    /// ` LEFT JOIN table AS alias ON` its rows may be reached and have the id that stands in a column of
    /// `parent`.
    pub(crate) fn left_join<'b>(
        &'b self,
        alias: &str,
        (theirs, parent, ours): (&str, &str, &str),
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        out.push_sql(" LEFT JOIN ");
        out.push_identifier(self.name)?;
        out.push_sql(" AS ");
        out.push_identifier(alias)?;
        out.push_sql(" ON ");
        name(alias, theirs, out)?;
        out.push_sql(" = ");
        name(parent, ours, out)?;
        self.wheres(Conjunction(" AND "), alias, 1, std::iter::empty(), out).map(drop)
    }

    /// `UPDATE table SET` these values, ` WHERE` its rows may be reached and meet the conditions.
    pub(crate) fn update<'b>(
        &'b self,
        values: impl FnOnce(&mut Out<'_, 'b>) -> QueryResult<()>,
        conditions: impl Iterator<Item = &'b Condition>,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        out.push_identifier(self.name)?;
        out.push_sql(" SET ");
        values(out)?;
        self.wheres(Conjunction::WHERE, self.name, 1, conditions, out).map(drop)
    }

    /// `INSERT INTO table`.
    pub(crate) fn insert(&self, out: &mut Out<'_, '_>) -> QueryResult<()> {
        out.push_sql("INSERT INTO ");
        out.push_identifier(self.name)
    }

    /// Which rows may be reached, and the conditions.
    fn wheres<'b>(
        &'b self,
        mut and: Conjunction,
        alias: &str,
        depth: usize,
        conditions: impl Iterator<Item = &'b Condition>,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<Conjunction> {
        let deleted = match self.rows {
            Rows::Live => Some(" IS NULL"),
            Rows::Deleted => Some(" IS NOT NULL"),
            Rows::All => None,
        };
        if let Some(deleted) = deleted {
            and.next(out);
            name(alias, "deleted_at", out)?;
            out.push_sql(deleted);
        }
        for condition in conditions {
            and.next(out);
            condition.render(alias, depth, out)?;
        }
        Ok(and)
    }
}

impl Condition {
    /// Renders the condition on the rows that the statement calls `table`. Tables below it are called
    /// by their depth, because a contact's company is a contact too.
    pub(crate) fn render<'b>(&'b self, table: &str, depth: usize, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        match self {
            Self::All(all) => junction(all, " AND ", "TRUE", table, depth, out),
            Self::Any(any) => junction(any, " OR ", "FALSE", table, depth, out),
            Self::Not(condition) => {
                // Not simply NOT: what is neither true nor false, because a column is empty, does
                // not hold, and so its opposite does.
                out.push_sql("(");
                condition.render(table, depth, out)?;
                out.push_sql(") IS NOT TRUE");
                Ok(())
            }
            Self::Is(column, comparison, value) => {
                name(table, column, out)?;
                out.push_sql(comparison.sql());
                value.push(out)
            }
            Self::OneOf(column, list) => {
                name(table, column, out)?;
                out.push_sql(" = ANY(");
                list.push(out)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Empty(column) => {
                name(table, column, out)?;
                out.push_sql(" IS NULL");
                Ok(())
            }
            Self::Like(column, pattern) => {
                name(table, column, out)?;
                out.push_sql(" ILIKE ");
                out.push_bind_param::<st::Text, _>(pattern)
            }
            Self::Contains(column, value) => {
                name(table, column, out)?;
                out.push_sql(" @> ");
                value.push(out)
            }
            Self::Overlaps(column, texts) => {
                name(table, column, out)?;
                out.push_sql(" && ");
                out.push_bind_param::<st::Array<st::Text>, _>(texts)
            }
            Self::Related(path, condition) => path.render(table, depth, out, |related, out| {
                out.push_sql(" AND ");
                condition.render(related, depth + 1, out)
            }),
            Self::Counted(path, comparison, number) => {
                // Rows to which none are related are not among the counted ones, so where none is
                // enough, those are asked for that have another number.
                let none_is_enough = comparison.holds(0, *number);
                out.push_sql(if none_is_enough { "NOT " } else { "" });
                path.render(table, depth, out, |related, out| {
                    out.push_sql(" GROUP BY ");
                    name(related, path.theirs, out)?;
                    out.push_sql(if none_is_enough { " HAVING NOT count(*)" } else { " HAVING count(*)" });
                    out.push_sql(comparison.sql());
                    out.push_bind_param::<st::BigInt, _>(number)
                })
            }
            Self::OfParent(column) => {
                name(table, column, out)?;
                out.push_sql(" = parent.id");
                Ok(())
            }
        }
    }
}

impl Path {
    /// Whether our row is among those that the related rows that may be reached point at, of which
    /// `further` says more.
    ///
    /// `IS TRUE` keeps PostgreSQL from turning this into a join. It then reads the related rows once,
    /// into a hash table, and looks ours up there: a filter costs one pass over the organisation's
    /// rows for each relation in it, at most (up to the rows for which tenancy's `hash_mem_multiplier`
    /// allows a hash table). The plan of a join depends on how many rows it takes an organisation for:
    /// of a large one among small ones, or before the first ANALYZE, it compares all with all.
    fn render<'b>(
        &'b self,
        table: &str,
        depth: usize,
        out: &mut Out<'_, 'b>,
        further: impl FnOnce(&str, &mut Out<'_, 'b>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        let related = format!("r{depth}");
        out.push_sql("(");
        name(table, self.ours, out)?;
        out.push_sql(" IN (SELECT ");
        name(&related, self.theirs, out)?;
        out.push_sql(" FROM ");
        out.push_identifier(self.table.name)?;
        out.push_sql(" AS ");
        out.push_identifier(&related)?;
        self.table.wheres(Conjunction::WHERE, &related, depth + 1, std::iter::empty(), out)?;
        further(&related, out)?;
        out.push_sql(")) IS TRUE");
        Ok(())
    }
}

fn junction<'b>(
    conditions: &'b [Condition],
    between: &str,
    none: &str,
    table: &str,
    depth: usize,
    out: &mut Out<'_, 'b>,
) -> QueryResult<()> {
    if conditions.is_empty() {
        out.push_sql(none);
        return Ok(());
    }
    out.push_sql("(");
    for (at, condition) in conditions.iter().enumerate() {
        if at > 0 {
            out.push_sql(between);
        }
        condition.render(table, depth, out)?;
    }
    out.push_sql(")");
    Ok(())
}
