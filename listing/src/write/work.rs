use chrono::{DateTime, Utc};
use tenancy::{Failure, Scope, Session, Tx};
use uuid::Uuid;

use crate::{entity::Entity, read::find, typed::entity};

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

    /// The time of the service's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.scope.clock().now()
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
}
