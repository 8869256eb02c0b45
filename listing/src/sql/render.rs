//! Writes tables and conditions as SQL. No other place writes the name of a table: so nothing reads
//! rows without the conditions that stand for every read of them.

use diesel::{QueryResult, sql_types as st};

use crate::{
    sql::{
        condition::{Between, Condition, Link, Path, Rows, SeenBy, Sight, Table, Term},
        inside,
    },
    value::Value,
};

pub(crate) use crate::sql::out::{Conjunction, Out, name};

/// What a statement inside another selects of each row.
#[derive(Clone, Copy)]
enum Selected {
    Nothing,
    Column(&'static str),
    Count,
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

    /// `SELECT .. FROM table AS alias WHERE` its rows may be reached; more conditions may follow.
    fn subselect<'b>(
        &'b self,
        selected: Selected,
        alias: &str,
        depth: usize,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<Conjunction> {
        out.push_sql("SELECT");
        match selected {
            Selected::Nothing => {}
            Selected::Count => out.push_sql(" count(*)::integer"),
            Selected::Column(column) => {
                out.push_sql(" ");
                name(alias, column, out)?;
            }
        }
        out.push_sql(" FROM ");
        out.push_identifier(self.name)?;
        out.push_sql(" AS ");
        out.push_identifier(alias)?;
        self.wheres(Conjunction::WHERE, alias, depth + 1, std::iter::empty(), out)
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
        self.wheres(Conjunction::AND, alias, 1, std::iter::empty(), out).map(drop)
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

    /// `SELECT` ids of rows of the organisation that match a text, `most` of them at most. Whether they may
    /// be reached is not asked here: they only tell a statement on this table where to look.
    pub(crate) fn candidates<'b>(
        &'b self,
        text: &'b str,
        most: usize,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT search_ids('");
        out.push_sql(self.name);
        out.push_sql("', ");
        out.push_bind_param::<st::Text, _>(text)?;
        out.push_sql(&format!(", {most})"));
        Ok(())
    }

    /// `INSERT INTO table`.
    pub(crate) fn insert(&self, out: &mut Out<'_, '_>) -> QueryResult<()> {
        out.push_sql("INSERT INTO ");
        out.push_identifier(self.name)
    }

    fn living<'b>(
        &'b self,
        and: &mut Conjunction,
        alias: &str,
        depth: usize,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        and.next(out);
        name(alias, "deleted_at", out)?;
        out.push_sql(" IS NULL");
        self.sight.render_unless_all(and, alias, depth, out)
    }

    fn deleted<'b>(
        &'b self,
        and: &mut Conjunction,
        alias: &str,
        depth: usize,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        and.next(out);
        name(alias, "deleted_at", out)?;
        out.push_sql(" IS NOT NULL");
        self.deleted_sight.render_unless_all(and, alias, depth, out)
    }

    /// Which rows may be reached, and the conditions.
    pub(crate) fn wheres<'b>(
        &'b self,
        mut and: Conjunction,
        alias: &str,
        depth: usize,
        conditions: impl Iterator<Item = &'b Condition>,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<Conjunction> {
        match self.rows {
            Rows::Live => self.living(&mut and, alias, depth, out)?,
            Rows::Deleted => self.deleted(&mut and, alias, depth, out)?,
            Rows::All if *self.sight == Sight::All && *self.deleted_sight == Sight::All => {}
            Rows::All => {
                and.next(out);
                self.living(&mut Conjunction("(("), alias, depth, out)?;
                self.deleted(&mut Conjunction(") OR ("), alias, depth, out)?;
                out.push_sql("))");
            }
            Rows::Kept => self.sight.render_unless_all(&mut and, alias, depth, out)?,
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
            Self::Related(path, condition) => path.render(table, depth, out, |related, mut and, out| {
                and.next(out);
                condition.render(related, depth + 1, out)
            }),
            Self::Counted(path, comparison, number) => {
                // Rows to which none are related are not among the counted ones, so where none is
                // enough, those are asked for that have another number.
                let none_is_enough = comparison.holds(0, *number);
                out.push_sql(if none_is_enough { "NOT " } else { "" });
                path.render_counted(table, depth, out, |out| {
                    out.push_sql(if none_is_enough { " HAVING NOT count(*)" } else { " HAVING count(*)" });
                    out.push_sql(comparison.sql());
                    out.push_bind_param::<st::BigInt, _>(number)
                })
            }
            Self::OfParent(Link::Column(column)) => {
                name(table, column, out)?;
                out.push_sql(" = parent.id");
                Ok(())
            }
            Self::OfParent(Link::Between(between)) => between.render_of(table, "parent", out),
            Self::Is(term, comparison, value) => term.compare(table, depth, comparison.sql(), value, out),
            Self::Named(term, comparison, literal) => {
                term.render(table, depth, out)?;
                out.push_sql(comparison.sql());
                // Names of GraphQL's enums are letters, digits and underscores.
                out.push_sql(&format!("'{literal}'"));
                Ok(())
            }
            Self::OneOf(term, list) => {
                term.render(table, depth, out)?;
                out.push_sql(" = ANY(");
                list.push(out)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Empty(term) => {
                term.render(table, depth, out)?;
                out.push_sql(" IS NULL");
                Ok(())
            }
            Self::Like(term, pattern) => {
                term.render(table, depth, out)?;
                // The database's own collation may know the letters of ASCII alone; that of Unicode takes
                // several times as long.
                out.push_sql(if pattern.is_ascii() { " COLLATE \"C\"" } else { " COLLATE \"und-x-icu\"" });
                out.push_sql(" ILIKE ");
                out.push_bind_param::<st::Text, _>(pattern)
            }
            Self::Part(term, parts, condition) => inside::part(term, *parts, condition, (table, depth), out),
            Self::Matches(text) => inside::matches(text, table, out),
            Self::Contains(term, value) => term.compare(table, depth, " @> ", value, out),
            Self::Overlaps(term, texts) => {
                term.render(table, depth, out)?;
                out.push_sql(" && ");
                out.push_bind_param::<st::Array<st::Text>, _>(texts)
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
        further: impl FnOnce(&str, Conjunction, &mut Out<'_, 'b>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        let related = format!("r{depth}");
        out.push_sql("(");
        name(table, self.ours, out)?;
        out.push_sql(" IN (");
        if let Some(between) = &self.between {
            between.select(out)?;
        }
        let and = self.table.subselect(Selected::Column(self.theirs), &related, depth, out)?;
        further(&related, and, out)?;
        out.push_sql(if self.between.is_some() { "))) IS TRUE" } else { ")) IS TRUE" });
        Ok(())
    }

    /// The same, where `having` says how many related rows there must be.
    fn render_counted<'b>(
        &'b self,
        table: &str,
        depth: usize,
        out: &mut Out<'_, 'b>,
        having: impl FnOnce(&mut Out<'_, 'b>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        let related = format!("r{depth}");
        out.push_sql("(");
        name(table, self.ours, out)?;
        out.push_sql(" IN (");
        if let Some(between) = &self.between {
            between.select(out)?;
        }
        self.table.subselect(Selected::Column(self.theirs), &related, depth, out)?;
        match &self.between {
            Some(between) => {
                out.push_sql(") GROUP BY ");
                out.push_identifier(between.ours)?;
            }
            None => {
                out.push_sql(" GROUP BY ");
                name(&related, self.theirs, out)?;
            }
        }
        having(out)?;
        out.push_sql(")) IS TRUE");
        Ok(())
    }
}

impl Term {
    /// Compares the term with a value.
    fn compare<'b>(
        &'b self,
        table: &str,
        depth: usize,
        operator: &str,
        value: &'b Value,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        self.render(table, depth, out)?;
        out.push_sql(operator);
        match value {
            // Written into the statement, so that partial indexes serve it whatever the plan.
            Value::Boolean(true) => out.push_sql("TRUE"),
            Value::Boolean(false) => out.push_sql("FALSE"),
            value => value.push(out)?,
        }
        Ok(())
    }

    /// Renders it of a row that may be missing: then it is null, which a count or an expression would not
    /// be by itself.
    pub(crate) fn render_joined<'b>(&'b self, alias: &str, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        if matches!(self, Self::Column(_) | Self::Reference(..)) {
            return self.render(alias, 1, out);
        }
        out.push_sql("CASE WHEN ");
        name(alias, "id", out)?;
        out.push_sql(" IS NOT NULL THEN ");
        self.render(alias, 1, out)?;
        out.push_sql(" END");
        Ok(())
    }

    /// Renders the term of the rows that the statement calls `table`.
    pub(crate) fn render<'b>(&'b self, table: &str, depth: usize, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        match self {
            Self::Column(column) => name(table, column, out),
            Self::Expression(expression) => {
                out.push_sql("(");
                for (at, part) in expression.split("{row}").enumerate() {
                    if at > 0 {
                        out.push_identifier(table)?;
                    }
                    out.push_sql(part);
                }
                out.push_sql(")");
                Ok(())
            }
            Self::Reference(column, target) => {
                let related = format!("r{depth}");
                out.push_sql("(");
                let mut and = target.subselect(Selected::Column("id"), &related, depth, out)?;
                and.next(out);
                name(&related, "id", out)?;
                out.push_sql(" = ");
                name(table, column, out)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Count(path, condition) => {
                let related = format!("r{depth}");
                out.push_sql("(");
                let mut and = path.table.subselect(Selected::Count, &related, depth, out)?;
                and.next(out);
                match &path.between {
                    Some(between) => between.render_of(&related, table, out)?,
                    None => {
                        name(&related, path.theirs, out)?;
                        out.push_sql(" = ");
                        name(table, path.ours, out)?;
                    }
                }
                and.next(out);
                condition.render(&related, depth + 1, out)?;
                out.push_sql(")");
                Ok(())
            }
        }
    }
}

impl Sight {
    fn render_unless_all<'b>(
        &'b self,
        and: &mut Conjunction,
        table: &str,
        depth: usize,
        out: &mut Out<'_, 'b>,
    ) -> QueryResult<()> {
        if *self == Self::All {
            return Ok(());
        }
        and.next(out);
        self.render(table, depth, out)
    }

    /// Whether a row that the statement calls `table` is seen. Own columns stand as they are, so that
    /// each can use its index; the ids that other tables name are collected first, once for the
    /// statement, and looked up by the index as well.
    fn render<'b>(&'b self, table: &str, depth: usize, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let constant = match self {
            Self::All => "TRUE",
            Self::None => "FALSE",
            Self::Ways(ways) => return render_ways(ways, table, depth, out),
        };
        out.push_sql(constant);
        Ok(())
    }
}

/// Whether one of these ways leads to a row.
fn render_ways<'b>(ways: &'b [SeenBy], table: &str, depth: usize, out: &mut Out<'_, 'b>) -> QueryResult<()> {
    out.push_sql("(");
    let mut or = Separator::new(" OR ");
    for way in ways {
        match way {
            SeenBy::Own(condition) | SeenBy::Most(condition) => {
                or.next(out);
                condition.render(table, depth, out)?;
            }
            SeenBy::With { few, most } => {
                if let Some(path) = few {
                    or.next(out);
                    path.render_few(table, depth, out)?;
                }
                if let Some(path) = most {
                    or.next(out);
                    path.render_most(table, depth, out)?;
                }
            }
            SeenBy::Through { .. } => {}
        }
    }
    let through = || ways.iter().filter_map(SeenBy::joining);
    if through().next().is_some() {
        or.next(out);
        name(table, "id", out)?;
        render_array(through(), depth, out)?;
    }
    if or.is_first() {
        out.push_sql("FALSE");
    }
    out.push_sql(")");
    Ok(())
}

impl Path {
    /// Whether ours refers to a row that is seen, of which there are few: their ids are collected first,
    /// once for the statement.
    fn render_few<'b>(&'b self, table: &str, depth: usize, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        name(table, self.ours, out)?;
        out.push_sql(" = ANY(ARRAY(");
        self.table.subselect(Selected::Column(self.theirs), &format!("r{depth}"), depth, out)?;
        out.push_sql("))");
        Ok(())
    }

    /// Whether ours refers to a row that is seen, of which there may be many: each is looked at.
    fn render_most<'b>(&'b self, table: &str, depth: usize, out: &mut Out<'_, 'b>) -> QueryResult<()> {
        let related = format!("r{depth}");
        out.push_sql("EXISTS (");
        let mut and = self.table.subselect(Selected::Nothing, &related, depth, out)?;
        and.next(out);
        name(&related, self.theirs, out)?;
        out.push_sql(" = ");
        name(table, self.ours, out)?;
        out.push_sql(")");
        Ok(())
    }
}

impl Between {
    /// Whether a row that the statement calls `table` is one of those that belong to one of `parent`.
    fn render_of(&self, table: &str, parent: &str, out: &mut Out<'_, '_>) -> QueryResult<()> {
        name(table, "id", out)?;
        out.push_sql(" = ANY(ARRAY(SELECT ");
        out.push_identifier(self.theirs)?;
        out.push_sql(" FROM ");
        out.push_identifier(self.table)?;
        out.push_sql(" WHERE ");
        out.push_identifier(self.ours)?;
        out.push_sql(" = ");
        name(parent, "id", out)?;
        out.push_sql("))");
        Ok(())
    }

    /// `SELECT ours FROM between WHERE theirs IN (`, to which their ids belong.
    fn select(&self, out: &mut Out<'_, '_>) -> QueryResult<()> {
        out.push_sql("SELECT ");
        out.push_identifier(self.ours)?;
        out.push_sql(" FROM ");
        out.push_identifier(self.table)?;
        out.push_sql(" WHERE ");
        out.push_identifier(self.theirs)?;
        out.push_sql(" IN (");
        Ok(())
    }
}

impl SeenBy {
    /// The table that joins, its column with the id of the row, and what its rows must meet.
    fn joining(&self) -> Option<(&Table, &'static str, &Condition)> {
        match self {
            Self::Through { table, row, condition } => Some((table, row, condition)),
            _ => None,
        }
    }
}

/// ` = ANY(ARRAY(..))` of the ids that tables name.
fn render_array<'b>(
    tables: impl Iterator<Item = (&'b Table, &'static str, &'b Condition)>,
    depth: usize,
    out: &mut Out<'_, 'b>,
) -> QueryResult<()> {
    out.push_sql(" = ANY(ARRAY(");
    let mut union = Separator::new(" UNION ALL ");
    for (table, row, condition) in tables {
        union.next(out);
        let related = format!("r{depth}");
        let mut and = table.subselect(Selected::Column(row), &related, depth, out)?;
        and.next(out);
        condition.render(&related, depth + 1, out)?;
    }
    out.push_sql("))");
    Ok(())
}

/// What stands between things, from the second on.
struct Separator {
    between: &'static str,
    first: bool,
}

impl Separator {
    fn new(between: &'static str) -> Self {
        Self { between, first: true }
    }

    fn next(&mut self, out: &mut Out<'_, '_>) {
        if !std::mem::take(&mut self.first) {
            out.push_sql(self.between);
        }
    }

    fn is_first(&self) -> bool {
        self.first
    }
}

fn junction<'b>(
    conditions: &'b [Condition],
    between: &'static str,
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
    let mut separator = Separator::new(between);
    for condition in conditions {
        separator.next(out);
        condition.render(table, depth, out)?;
    }
    out.push_sql(")");
    Ok(())
}
