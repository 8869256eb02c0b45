//! The SQL that is being written.

use diesel::{QueryResult, pg::Pg, query_builder::AstPass};

/// The SQL that is being written.
pub(crate) type Out<'a, 'b> = AstPass<'a, 'b, Pg>;

/// A column of what the statement calls `table`.
pub(crate) fn name(table: &str, column: &str, out: &mut Out<'_, '_>) -> QueryResult<()> {
    out.push_identifier(table)?;
    out.push_sql(".");
    out.push_identifier(column)
}

/// Conditions that are separated by ` AND `, the first of them by something else.
pub(crate) struct Conjunction(pub(in crate::sql) &'static str);

impl Conjunction {
    /// Of which none has been written yet.
    pub(crate) const WHERE: Self = Self(" WHERE ");
    /// That continue others.
    pub(crate) const AND: Self = Self(" AND ");

    /// Writes what stands before the next condition.
    pub(crate) fn next(&mut self, out: &mut Out<'_, '_>) {
        out.push_sql(std::mem::replace(&mut self.0, " AND "));
    }
}
