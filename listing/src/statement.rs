//! The few statements that serve every entity, rendered from plain data.

use std::marker::PhantomData;

use diesel::{
    QueryResult, Selectable,
    deserialize::FromSqlRow,
    expression::Expression,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::CompatibleType,
    sql_types as st,
};
use futures_util::{FutureExt, future::BoxFuture};
use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use crate::{Condition, Direction, condition::name, order::Key};

/// Rows of one table.
#[derive(Clone, Debug)]
pub struct Select {
    pub(crate) table: &'static str,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) order: Vec<Key>,
    /// Runs the order the other way: a page counted from the end.
    pub(crate) reversed: bool,
    pub(crate) limit: Option<usize>,
}

/// Sets or clears the mark of deletion.
#[derive(Clone, Debug)]
pub struct Mark {
    pub(crate) table: &'static str,
    pub(crate) id: Uuid,
    pub(crate) revision: i32,
    pub(crate) deleted: bool,
}

/// A row that the shared statements can read. Every struct that derives diesel's `Queryable` and
/// `Selectable` is one; the bounds stand here once, and the types of its statements end here.
pub trait Row: Sized {
    /// Reads in a transaction of its own.
    fn select(scope: &Scope, select: Select) -> BoxFuture<'_, Result<Vec<Self>, Failure>>;
    /// Reads inside a write.
    fn select_in(tx: &Tx, select: Select) -> BoxFuture<'_, Result<Vec<Self>, Failure>>;
    /// The same rows for each of many parents, in one statement.
    fn select_per_parent(
        scope: &Scope,
        parents: Vec<Uuid>,
        select: Select,
    ) -> BoxFuture<'_, Result<Vec<(Uuid, Self)>, Failure>>;
    /// Marks one row and answers it, if it was there in that revision and not marked so already.
    fn mark(tx: &Tx, mark: Mark) -> BoxFuture<'_, Result<Option<Self>, Failure>>;
}

type Columns<E> = <E as Selectable<Pg>>::SelectExpression;
type Types<E> = <Columns<E> as Expression>::SqlType;

impl<E> Row for E
where
    E: Selectable<Pg> + FromSqlRow<Types<E>, Pg> + Send + Sync + 'static,
    Columns<E>: QueryFragment<Pg> + Send + 'static,
    Types<E>: CompatibleType<E, Pg, SqlType = Types<E>> + Send + 'static,
    (Uuid, E): FromSqlRow<(st::Uuid, Types<E>), Pg>,
    (st::Uuid, Types<E>): CompatibleType<(Uuid, E), Pg, SqlType = (st::Uuid, Types<E>)>,
{
    fn select(scope: &Scope, select: Select) -> BoxFuture<'_, Result<Vec<Self>, Failure>> {
        scope.rows(Answer::<_, Columns<E>, Types<E>>::new(select, E::construct_selection())).boxed()
    }

    fn select_in(tx: &Tx, select: Select) -> BoxFuture<'_, Result<Vec<Self>, Failure>> {
        tx.rows(Answer::<_, Columns<E>, Types<E>>::new(select, E::construct_selection())).boxed()
    }

    fn select_per_parent(
        scope: &Scope,
        parents: Vec<Uuid>,
        select: Select,
    ) -> BoxFuture<'_, Result<Vec<(Uuid, Self)>, Failure>> {
        let select = PerParent { parents, select };
        scope
            .rows(Answer::<_, Columns<E>, (st::Uuid, Types<E>)>::new(select, E::construct_selection()))
            .boxed()
    }

    fn mark(tx: &Tx, mark: Mark) -> BoxFuture<'_, Result<Option<Self>, Failure>> {
        tx.row(Answer::<_, Columns<E>, Types<E>>::new(mark, E::construct_selection())).boxed()
    }
}

struct PerParent {
    parents: Vec<Uuid>,
    select: Select,
}

/// A statement together with the columns it answers and their types.
struct Answer<S, C, T> {
    statement: S,
    columns: C,
    types: PhantomData<fn() -> T>,
}

impl<S, C, T> Answer<S, C, T> {
    fn new(statement: S, columns: C) -> Self {
        Self { statement, columns, types: PhantomData }
    }
}

impl<S, C, T> QueryId for Answer<S, C, T> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S, C, T> Query for Answer<S, C, T> {
    type SqlType = T;
}

impl<S: Render, C: QueryFragment<Pg>, T> QueryFragment<Pg> for Answer<S, C, T> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.render(&self.columns, out)
    }
}

trait Render {
    fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()>;
}

impl Render for Select {
    fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT ");
        columns.walk_ast(out.reborrow())?;
        out.push_sql(" FROM ");
        out.push_identifier(self.table)?;
        for (at, condition) in self.conditions.iter().enumerate() {
            out.push_sql(if at == 0 { " WHERE " } else { " AND " });
            condition.render(self.table, &mut out)?;
        }
        for (at, key) in self.order.iter().enumerate() {
            out.push_sql(if at == 0 { " ORDER BY " } else { ", " });
            name(&mut out, self.table, key.column)?;
            // Nulls count as larger than every value; PostgreSQL's default, said aloud.
            out.push_sql(match (key.direction == Direction::Asc) != self.reversed {
                true if key.nullable => " ASC NULLS LAST",
                true => " ASC",
                false if key.nullable => " DESC NULLS FIRST",
                false => " DESC",
            });
        }
        if let Some(limit) = self.limit {
            // Not bound: PostgreSQL plans a statement with a bound limit anew each time, and there
            // are at most MAX_PAGE + 1 of them.
            out.push_sql(&format!(" LIMIT {limit}"));
        }
        Ok(())
    }
}

impl Render for PerParent {
    // Parents without children answer no row. A correlated LATERAL runs as a nested loop, so each
    // parent's children keep their order.
    fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("SELECT parent.id, child.* FROM unnest(");
        out.push_bind_param::<st::Array<st::Uuid>, _>(&self.parents)?;
        out.push_sql(") AS parent(id) CROSS JOIN LATERAL (");
        self.select.render(columns, out.reborrow())?;
        out.push_sql(") AS child");
        Ok(())
    }
}

impl Render for Mark {
    fn render<'b, C: QueryFragment<Pg>>(
        &'b self,
        columns: &'b C,
        mut out: AstPass<'_, 'b, Pg>,
    ) -> QueryResult<()> {
        out.push_sql("UPDATE ");
        out.push_identifier(self.table)?;
        out.push_sql(if self.deleted { " SET deleted_at = service_now()" } else { " SET deleted_at = NULL" });
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<st::Uuid, _>(&self.id)?;
        out.push_sql(" AND revision = ");
        out.push_bind_param::<st::Integer, _>(&self.revision)?;
        out.push_sql(if self.deleted { " AND deleted_at IS NULL" } else { " AND deleted_at IS NOT NULL" });
        out.push_sql(" RETURNING ");
        columns.walk_ast(out.reborrow())
    }
}
