//! How rows come out of a statement: typed at the edge, erased in the middle.

use diesel::{
    QueryResult, Selectable,
    deserialize::{FromSqlRow, StaticallySizedRow},
    expression::Expression,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types as st,
};
use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use tenancy::{Failure, Scope, Tx};

use crate::{
    sql::change::{Insert, Mark, Update},
    sql::select::{PerParent, Select},
    sql::values::{Typed, Values, Wide},
};

/// A statement that answers rows of one table.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Reads rows.
    Select(Select),
    /// Reads the same for each of many parents.
    PerParent(PerParent),
    /// Adds rows.
    Insert(Insert),
    /// Changes a row.
    Update(Update),
    /// Sets or clears the mark of deletion.
    Mark(Mark),
}

/// A row that the shared statements can read. Every struct that derives diesel's `Queryable` and
/// `Selectable` is one; the bounds stand here once, and the types of its statements end here.
pub trait Row: Sized + Send + Sync + 'static {
    /// Reads in a transaction of its own.
    fn rows(scope: &Scope, statement: Statement) -> BoxFuture<'_, Result<Vec<Wide<Self>>, Failure>>;
    /// Runs inside a write.
    fn rows_in(tx: &Tx, statement: Statement) -> BoxFuture<'_, Result<Vec<Wide<Self>>, Failure>>;
}

type Columns<E> = <E as Selectable<Pg>>::SelectExpression;
type Types<E> = <Columns<E> as Expression>::SqlType;

impl<E> Row for E
where
    E: Selectable<Pg> + FromSqlRow<Types<E>, Pg> + StaticallySizedRow<Types<E>, Pg> + Send + Sync + 'static,
    Columns<E>: QueryFragment<Pg> + Send + 'static,
    Types<E>: 'static,
{
    fn rows(scope: &Scope, statement: Statement) -> BoxFuture<'_, Result<Vec<Wide<Self>>, Failure>> {
        let answer = Answer { statement, columns: E::construct_selection() };
        scope.rows(answer).map_ok(untyped::<E>).boxed()
    }

    fn rows_in(tx: &Tx, statement: Statement) -> BoxFuture<'_, Result<Vec<Wide<Self>>, Failure>> {
        let answer = Answer { statement, columns: E::construct_selection() };
        tx.rows(answer).map_ok(untyped::<E>).boxed()
    }
}

fn untyped<E: Selectable<Pg>>(rows: Vec<Typed<E, Types<E>>>) -> Vec<Wide<E>> {
    rows.into_iter().map(|row| row.0).collect()
}

/// A statement together with the columns it answers first.
struct Answer<C> {
    statement: Statement,
    columns: C,
}

impl<C> QueryId for Answer<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> Query for Answer<C> {
    // What follows the entity's columns is known to the statement alone.
    type SqlType = st::Untyped;
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for Answer<C> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match &self.statement {
            Statement::Select(select) => select.render(&self.columns, out),
            Statement::PerParent(select) => select.render(&self.columns, out),
            Statement::Insert(insert) => insert.render(&self.columns, out),
            Statement::Update(update) => update.render(&self.columns, out),
            Statement::Mark(mark) => mark.render(&self.columns, out),
        }
    }
}

/// A statement that answers values and no rows of an entity.
pub(crate) struct Figures<S>(pub(crate) S);

/// What such a statement says.
pub(crate) trait Render {
    fn render<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()>;
}

impl<S> QueryId for Figures<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S> Query for Figures<S> {
    type SqlType = st::Untyped;
}

impl<S: Render> QueryFragment<Pg> for Figures<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.render(out)
    }
}

/// The answer of such a statement.
pub(crate) async fn figures<S: Render + Send>(scope: &Scope, statement: S) -> Result<Vec<Values>, Failure> {
    scope.rows(Figures(statement)).await
}
