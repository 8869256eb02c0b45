use std::{any::Any, collections::HashMap};

use chrono::{DateTime, Utc};
use diesel::Column as DieselColumn;
use tenancy::{Failure, Scope, Session, Tx};
use uuid::Uuid;

use crate::{
    any::AnyEntity,
    entity::Entity,
    field::{Field, Shape},
    kind::ColumnKind,
    read::find,
    sql::{
        change::{Update, Written},
        column::Column,
        condition::{Condition, Sight, Table, Term},
        seen::Seen,
        select::Select,
        statement::Statement,
        values::{Values, values_in},
    },
    typed::entity,
    value::Value,
};

/// What the fields of a row hold that are stored.
pub(crate) type Stored = Vec<(&'static Field, Value)>;

/// A write that is being carried out: what a rule or a step may look at, and change with it.
#[derive(Clone, Copy)]
pub struct Work<'w> {
    scope: &'w Scope,
    tx: &'w Tx,
}

impl<'w> Work<'w> {
    /// The write of this scope in this transaction.
    pub fn new(scope: &'w Scope, tx: &'w Tx) -> Self {
        Self { scope, tx }
    }

    /// The transaction.
    pub fn tx(&self) -> &'w Tx {
        self.tx
    }

    /// The session on whose behalf the write is carried out.
    pub fn session(&self) -> &'w Session {
        self.scope.session()
    }

    pub(crate) fn scope(&self) -> &'w Scope {
        self.scope
    }

    /// The service's setting of this type, if it was provided.
    pub fn setting<T: Any + Send + Sync>(&self) -> Option<&'w T> {
        self.scope.setting()
    }

    /// The time of the service's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.scope.clock().now()
    }

    /// That a row is seen by the session and not deleted, for a diesel query on the entity's table.
    pub fn seen<E: Entity>(&self) -> Seen {
        Seen(entity::<E>().rows(self.session()))
    }

    /// The row with this id, if the session sees it and it is not deleted.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn find<E: Entity>(&self, id: Uuid) -> Result<Option<E>, Failure> {
        find::one_in(self.tx, &entity::<E>().rows(self.session()), id).await
    }

    /// As [`Work::find`], deleted rows included as far as the session sees them.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn find_with_deleted<E: Entity>(&self, id: Uuid) -> Result<Option<E>, Failure> {
        find::one_in(self.tx, &entity::<E>().rows(self.session()).with_deleted(), id).await
    }

    /// As [`Work::find`], and locks the row until the write ends.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn lock<E: Entity>(&self, id: Uuid) -> Result<Option<E>, Failure> {
        find::lock_in(self.tx, &entity::<E>().rows(self.session()), id).await
    }

    pub(crate) async fn lock_in<E: Entity>(&self, table: &Table, id: Uuid) -> Result<Option<E>, Failure> {
        find::lock_in(self.tx, table, id).await
    }

    /// The stored values of the rows with these ids, whether they are deleted or not, as far as they are
    /// seen.
    pub(crate) async fn values(
        &self,
        entity: &'static AnyEntity,
        ids: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Stored>, Failure> {
        let stored: Vec<(&'static Field, Column)> = entity
            .fields()
            .filter_map(|field| {
                let Shape { name, kind, nullable, .. } = field.shape;
                let term = Term::Column(field.shape.column()?);
                Some((field, Column { name, kind, nullable, term }))
            })
            .collect();
        let own = std::iter::once(Column::id(entity.prefix));
        let columns = own.chain(stored.iter().map(|(_, column)| column.clone())).collect();
        let table = entity.rows(self.session()).with_deleted();
        let rows = values_in(self.tx, Select::by_id(table, columns, ids)).await?;
        let row = |row: Values| {
            let id = row.id(0)?;
            let fields = stored.iter().map(|(field, _)| *field);
            Some((id, fields.zip(row.0.into_iter().skip(1)).collect()))
        };
        Ok(rows.into_iter().filter_map(row).collect())
    }

    /// Writes these values into a row that the write has locked, and returns it.
    ///
    /// # Errors
    /// What a constraint or the database refuses.
    pub async fn save<E: Entity>(&self, row: &E, changes: Changes) -> Result<E, Failure> {
        let table = Table::kept(E::TABLE, Sight::All);
        let conditions = vec![Condition::id(row.id())];
        let update = Statement::Update(Update { table, conditions, changes: changes.0 });
        let gone = || Failure::internal("a row is gone that the write holds");
        E::rows_in(self.tx, update).await?.pop().ok_or_else(gone)
    }
}

/// New values of a row's columns.
#[derive(Default)]
pub struct Changes(Vec<(Written, Value)>);

impl Changes {
    /// These, and another.
    #[must_use]
    pub fn set<C>(mut self, _: C, value: impl Into<Value>) -> Self
    where
        C: DieselColumn + Copy,
        C::SqlType: ColumnKind,
    {
        self.0.push((Written { field: C::NAME, column: C::NAME, kind: C::SqlType::KIND }, value.into()));
        self
    }
}
