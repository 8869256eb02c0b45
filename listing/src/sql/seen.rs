use diesel::{
    AppearsOnTable, Expression, QueryResult, SelectableExpression,
    expression::{ValidGrouping, is_aggregate},
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types as st,
};

use crate::sql::{
    condition::{Condition, Table},
    render::Conjunction,
};

/// That a row may be reached, as a condition of a diesel query on the entity's table. Use cases that
/// write their own SQL filter by it.
#[derive(Clone, Debug)]
pub struct Seen(pub(crate) Table);

impl Expression for Seen {
    type SqlType = st::Bool;
}

impl<S> AppearsOnTable<S> for Seen {}
impl<S> SelectableExpression<S> for Seen {}

impl ValidGrouping<()> for Seen {
    type IsAggregate = is_aggregate::No;
}

impl QueryId for Seen {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for Seen {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(TRUE");
        let none = std::iter::empty::<&Condition>();
        self.0.wheres(Conjunction::AND, self.0.name(), 1, none, &mut out)?;
        out.push_sql(")");
        Ok(())
    }
}
