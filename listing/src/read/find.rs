//! Whole entities, with their types.

use std::collections::HashMap;

use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use crate::{
    entity::Entity,
    sql::{
        condition::{Condition, Table},
        select::Find,
        statement::Statement,
        values::Values,
    },
};

/// The rows of an entity that are not deleted.
fn live<E: Entity>() -> Table {
    Table::live(E::TABLE)
}

/// The same with its deleted rows.
fn all<E: Entity>() -> Table {
    live::<E>().with_deleted()
}

async fn rows<E: Entity>(scope: &Scope, table: Table, conditions: Vec<Condition>) -> Result<Vec<E>, Failure> {
    E::rows(scope, Statement::Find(Find { table, conditions })).await
}

async fn rows_in<E: Entity>(tx: &Tx, table: Table, conditions: Vec<Condition>) -> Result<Vec<E>, Failure> {
    E::rows_in(tx, Statement::Find(Find { table, conditions })).await
}

/// The whole entities of rows of a list, for resolvers that need more of them.
pub(crate) async fn whole<E: Entity>(scope: &Scope, list: &[Values]) -> Result<HashMap<Uuid, E>, Failure> {
    let ids = list.iter().filter_map(|row| row.id(0)).collect();
    let whole = rows::<E>(scope, all::<E>(), vec![Condition::ids(ids)]).await?;
    Ok(whole.into_iter().map(|entity| (entity.id(), entity)).collect())
}

/// The rows with these ids that are not deleted.
pub(crate) async fn find_many<E: Entity>(scope: &Scope, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    rows(scope, live::<E>(), vec![Condition::ids(ids)]).await
}

/// The rows with these ids inside a write, deleted or not.
pub(crate) async fn find_many_in<E: Entity>(tx: &Tx, ids: Vec<Uuid>) -> Result<Vec<E>, Failure> {
    rows_in(tx, all::<E>(), vec![Condition::ids(ids)]).await
}

/// One entity of the organisation; nothing if there is none with that id, or it is deleted.
///
/// # Errors
/// FORBIDDEN without the entity's permission to read, and what the database refuses.
pub async fn find<E: Entity>(scope: &Scope, id: Uuid) -> Result<Option<E>, Failure> {
    scope.require(E::READ)?;
    Ok(rows(scope, live::<E>(), vec![Condition::id(id)]).await?.pop())
}

/// One entity inside a write, deleted or not.
///
/// # Errors
/// What the database refuses.
pub async fn find_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(rows_in(tx, all::<E>(), vec![Condition::id(id)]).await?.pop())
}

/// One entity inside a write, unless it is deleted.
///
/// # Errors
/// What the database refuses.
pub async fn find_live_in<E: Entity>(tx: &Tx, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(rows_in(tx, live::<E>(), vec![Condition::id(id)]).await?.pop())
}
