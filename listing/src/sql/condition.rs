use diesel::{QueryResult, pg::Pg, query_builder::AstPass, sql_types as st};
use uuid::Uuid;

use crate::{Value, sql::keyset::Beyond, sql::list::List};

/// A condition on the rows of one table, erased: plain data that renders as SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// All of these hold; true if there are none.
    All(Vec<Condition>),
    /// One of these holds; false if there are none.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// The column compares so with this value. An empty column compares with nothing, and differs
    /// from everything.
    Is(&'static str, Comparison, Value),
    /// The column holds one of these values.
    OneOf(&'static str, List),
    /// The column is empty.
    Empty(&'static str),
    /// The text of the column matches this pattern, whatever the case of its letters.
    Like(&'static str, String),
    /// The list or the JSON of the column contains all of this.
    Contains(&'static str, Value),
    /// The list of texts of the column has one of these.
    Overlaps(&'static str, Vec<String>),
    /// A related row is there and meets a condition.
    Related(Path, Box<Condition>),
    /// So many related rows are there.
    Counted(Path, Comparison, i64),
    /// The column equals the id of the parent in a statement for many parents.
    OfParent(&'static str),
    /// The row lies beyond another in an order.
    Beyond(Beyond),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Different, or one of them empty.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
}

/// From the rows of one table to those of another: where our column equals theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    pub(crate) table: &'static str,
    pub(crate) ours: &'static str,
    pub(crate) theirs: &'static str,
}

impl Comparison {
    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::Eq => " = ",
            Self::Ne => " IS DISTINCT FROM ",
            Self::Gt => " > ",
            Self::Gte => " >= ",
            Self::Lt => " < ",
            Self::Lte => " <= ",
        }
    }

    fn holds(self, one: i64, other: i64) -> bool {
        match self {
            Self::Eq => one == other,
            Self::Ne => one != other,
            Self::Gt => one > other,
            Self::Gte => one >= other,
            Self::Lt => one < other,
            Self::Lte => one <= other,
        }
    }
}

impl Condition {
    /// The row is not deleted.
    pub(crate) const LIVE: Self = Self::Empty("deleted_at");

    /// The row has this id.
    pub(crate) fn id(id: Uuid) -> Self {
        Self::Is("id", Comparison::Eq, Value::Uuid(id))
    }

    /// The row has one of these ids.
    pub(crate) fn ids(ids: Vec<Uuid>) -> Self {
        match ids.as_slice() {
            [id] => Self::id(*id),
            _ => Self::OneOf("id", List::Uuids(ids)),
        }
    }

    /// What this says of the row's id, said of a column that holds it. None if it says nothing.
    pub(crate) fn of_id_in(&self, column: &'static str) -> Option<Self> {
        match self {
            Self::All(all) => all.iter().find_map(|condition| condition.of_id_in(column)),
            Self::Is("id", Comparison::Eq, id) => Some(Self::Is(column, Comparison::Eq, id.clone())),
            Self::OneOf("id", ids) => Some(Self::OneOf(column, ids.clone())),
            _ => None,
        }
    }

    /// Renders the condition on the rows that the statement calls `table`. Tables below it are called
    /// by their depth, because a contact's company is a contact too.
    pub(crate) fn render<'b>(
        &'b self,
        table: &str,
        depth: usize,
        out: &mut AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
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
                name(out, table, column)?;
                out.push_sql(comparison.sql());
                value.push(out)
            }
            Self::OneOf(column, list) => {
                name(out, table, column)?;
                out.push_sql(" = ANY(");
                list.push(out)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Empty(column) => {
                name(out, table, column)?;
                out.push_sql(" IS NULL");
                Ok(())
            }
            Self::Like(column, pattern) => {
                name(out, table, column)?;
                out.push_sql(" ILIKE ");
                out.push_bind_param::<st::Text, _>(pattern)
            }
            Self::Contains(column, value) => {
                name(out, table, column)?;
                out.push_sql(" @> ");
                value.push(out)
            }
            Self::Overlaps(column, texts) => {
                name(out, table, column)?;
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
                    name(out, related, path.theirs)?;
                    out.push_sql(if none_is_enough { " HAVING NOT count(*)" } else { " HAVING count(*)" });
                    out.push_sql(comparison.sql());
                    out.push_bind_param::<st::BigInt, _>(number)
                })
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

impl Path {
    /// Whether our row is among those that the related rows that are not deleted point at, of which
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
        out: &mut AstPass<'_, 'b, Pg>,
        further: impl FnOnce(&str, &mut AstPass<'_, 'b, Pg>) -> QueryResult<()>,
    ) -> QueryResult<()> {
        let related = format!("r{depth}");
        out.push_sql("(");
        name(out, table, self.ours)?;
        out.push_sql(" IN (SELECT ");
        name(out, &related, self.theirs)?;
        out.push_sql(" FROM ");
        out.push_identifier(self.table)?;
        out.push_sql(" AS ");
        out.push_identifier(&related)?;
        out.push_sql(" WHERE ");
        name(out, &related, "deleted_at")?;
        out.push_sql(" IS NULL");
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
    out: &mut AstPass<'_, 'b, Pg>,
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

pub(crate) fn name(out: &mut AstPass<'_, '_, Pg>, table: &str, column: &str) -> QueryResult<()> {
    out.push_identifier(table)?;
    out.push_sql(".");
    out.push_identifier(column)
}
