//! How rows come out of a statement: those of an entity with its type, all others as values.

use std::marker::PhantomData;

use diesel::{
    QueryResult, Selectable,
    deserialize::FromSqlRow,
    expression::Expression,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::CompatibleType,
};
use futures_util::{FutureExt, future::BoxFuture};
use tenancy::{Failure, Scope, Tx};

use crate::sql::{
    change::{Insert, SoftDelete, Update},
    select::Find,
};

/// A statement that answers whole rows of an entity.
#[derive(Clone, Debug)]
pub enum Statement {
    /// Reads rows.
    Find(Find),
    /// Adds rows.
    Insert(Insert),
    /// Changes a row.
    Update(Update),
    /// Deletes rows softly, or restores them.
    SoftDelete(SoftDelete),
}

impl Statement {
    /// Writes the statement, which answers these columns.
    pub(crate) fn write<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        match self {
            Self::Find(find) => find.render(columns, out),
            Self::Insert(insert) => insert.render(columns, out),
            Self::Update(update) => update.render(columns, out),
            Self::SoftDelete(delete) => delete.render(columns, out),
        }
    }
}

/// A row that the shared statements can read. Every struct that derives diesel's `Queryable` and
/// `Selectable` is one; the bounds stand here once, and the types of its statements end here.
pub trait Row: Sized + Send + Sync + 'static {
    /// Reads in a transaction of its own.
    fn rows(scope: &Scope, statement: Statement) -> BoxFuture<'_, Result<Vec<Self>, Failure>>;
    /// Runs inside a write.
    fn rows_in(tx: &Tx, statement: Statement) -> BoxFuture<'_, Result<Vec<Self>, Failure>>;
}

type Columns<E> = <E as Selectable<Pg>>::SelectExpression;
type Types<E> = <Columns<E> as Expression>::SqlType;

impl<E> Row for E
where
    E: Selectable<Pg> + FromSqlRow<Types<E>, Pg> + Send + Sync + 'static,
    Columns<E>: QueryFragment<Pg> + Send + 'static,
    Types<E>: CompatibleType<E, Pg, SqlType = Types<E>> + Send + 'static,
{
    fn rows(scope: &Scope, statement: Statement) -> BoxFuture<'_, Result<Vec<Self>, Failure>> {
        scope.rows(Answer::<_, Types<E>>::new(statement, E::construct_selection())).boxed()
    }

    fn rows_in(tx: &Tx, statement: Statement) -> BoxFuture<'_, Result<Vec<Self>, Failure>> {
        tx.rows(Answer::<_, Types<E>>::new(statement, E::construct_selection())).boxed()
    }
}

/// A statement together with the columns it answers and their types.
struct Answer<C, T> {
    statement: Statement,
    columns: C,
    types: PhantomData<fn() -> T>,
}

impl<C, T> Answer<C, T> {
    fn new(statement: Statement, columns: C) -> Self {
        Self { statement, columns, types: PhantomData }
    }
}

impl<C, T> QueryId for Answer<C, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, T> Query for Answer<C, T> {
    type SqlType = T;
}

impl<C: QueryFragment<Pg>, T> QueryFragment<Pg> for Answer<C, T> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.write(&self.columns, out)
    }
}
