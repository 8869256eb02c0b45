//! Whole rows, as values of the entity's type.

use std::collections::HashMap;

use tenancy::{Failure, Scope, Tx};
use uuid::Uuid;

use crate::{
    entity::Entity,
    sql::{
        condition::{Condition, Table},
        select::Find,
        statement::Statement,
    },
};

fn statement(table: &Table, ids: Vec<Uuid>, lock: bool) -> Statement {
    Statement::Find(Find { table: table.clone(), conditions: vec![Condition::ids(ids)], lock })
}

/// Those of the rows with these ids that `table` reaches, by their ids.
pub(crate) async fn by_id<E: Entity>(
    scope: &Scope,
    table: &Table,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, E>, Failure> {
    let rows = E::rows(scope, statement(table, ids, false)).await?;
    Ok(rows.into_iter().map(|row: E| (row.id(), row)).collect())
}

/// The same inside a write.
pub(crate) async fn by_id_in<E: Entity>(
    tx: &Tx,
    table: &Table,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, E>, Failure> {
    let rows = E::rows_in(tx, statement(table, ids, false)).await?;
    Ok(rows.into_iter().map(|row: E| (row.id(), row)).collect())
}

/// The row with this id, inside a write, if `table` reaches it.
pub(crate) async fn one_in<E: Entity>(tx: &Tx, table: &Table, id: Uuid) -> Result<Option<E>, Failure> {
    Ok(E::rows_in(tx, statement(table, vec![id], false)).await?.pop())
}

/// As [`one_in`], and locks the row until the write ends. Whether it is reached is asked again after the
/// lock where rows of other tables decide it: they may have changed while the write waited.
pub(crate) async fn lock_in<E: Entity>(tx: &Tx, table: &Table, id: Uuid) -> Result<Option<E>, Failure> {
    let locked = E::rows_in(tx, statement(table, vec![id], true)).await?.pop();
    if locked.is_some() && table.depends_on_others() { one_in(tx, table, id).await } else { Ok(locked) }
}
