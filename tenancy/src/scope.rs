use std::{any::Any, fmt, sync::Arc};

use diesel::{
    deserialize::FromSqlRow,
    pg::Pg,
    query_builder::{AsQuery, QueryFragment, QueryId},
    query_dsl::CompatibleType,
};
use futures_util::FutureExt;
use uuid::Uuid;

use crate::{
    Clock, Database, Failure, Key, Permission, Recall, Session, Tx, database::Begin, idempotency, transaction,
};

/// The id of a request in logs, audit rows and error references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

/// The longest request id accepted from a client.
const MAX_REQUEST_ID: usize = 64;

impl RequestId {
    /// Creates a new id.
    pub fn new() -> Self {
        Self(Uuid::now_v7().simple().to_string().into())
    }

    /// Accepts the id of a client if it is short and contains only letters, digits, `-` and `_`.
    pub fn parse(given: &str) -> Option<Self> {
        let plain = given.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (plain && !given.is_empty() && given.len() <= MAX_REQUEST_ID).then(|| Self(given.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The database access of one request, limited to its organisation. Cheap to clone.
#[derive(Clone)]
pub struct Scope(Arc<Inner>);

struct Inner {
    database: Database,
    session: Session,
    request_id: RequestId,
    clock: Clock,
}

impl Scope {
    /// Creates the scope of a session.
    pub fn new(database: Database, session: Session, request_id: RequestId) -> Self {
        let clock = database.clock().clone();
        Self(Arc::new(Inner { database, session, request_id, clock }))
    }

    /// The same scope by another clock: what it writes happens then.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        let Inner { database, session, request_id, .. } = &*self.0;
        let (database, session, request_id) = (database.clone(), session.clone(), request_id.clone());
        Self(Arc::new(Inner { database, session, request_id, clock }))
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// The id of the request.
    pub fn request_id(&self) -> &RequestId {
        &self.0.request_id
    }

    /// The service's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Checks the permission: the first line of every use case that reads.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN.
    pub fn require(&self, permission: Permission) -> Result<(), Failure> {
        Ok(self.0.session.require(permission)?)
    }

    /// The service's setting of this type, if it was provided.
    pub fn setting<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.database.0.settings.get()
    }

    /// Passes if the session holds one of these permissions.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN.
    pub fn require_any(&self, permissions: &[Permission]) -> Result<(), Failure> {
        Ok(self.0.session.require_any(permissions)?)
    }

    /// Runs a query in its own read-only transaction, in one flush, and returns all rows.
    ///
    /// # Errors
    /// UNAUTHENTICATED without an organisation, another refusal, or an internal error.
    pub async fn rows<Q, U, ST>(&self, query: Q) -> Result<Vec<U>, Failure>
    where
        Q: AsQuery + Send,
        Q::Query: QueryFragment<Pg> + QueryId + Send,
        Q::SqlType: CompatibleType<U, Pg, SqlType = ST>,
        U: FromSqlRow<ST, Pg> + Send,
    {
        let database = &self.0.database.0;
        let begin = Begin::read(&self.0.clock).of(&self.0.session)?;
        transaction::read(&database.app, &begin, query).await
    }

    /// The first row of one query, if there is one.
    ///
    /// # Errors
    /// As [`Scope::rows`].
    pub async fn row<Q, U, ST>(&self, query: Q) -> Result<Option<U>, Failure>
    where
        Q: AsQuery + Send,
        Q::Query: QueryFragment<Pg> + QueryId + Send,
        Q::SqlType: CompatibleType<U, Pg, SqlType = ST>,
        U: FromSqlRow<ST, Pg> + Send,
    {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// Runs a write: checks the permission, opens the transaction, runs the body, and commits or rolls
    /// back. Triggers on the tables write the audit.
    ///
    /// # Errors
    /// Errors of the body, a missing permission, a violated constraint, or an error of the database.
    pub async fn write<T, F>(&self, permission: Permission, body: impl FnOnce(Tx) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        self.require(permission)?;
        let tx = self.begin().await?;
        let outcome = body(tx.share()).boxed().await;
        tx.settle(outcome).await
    }

    /// As [`Scope::write`]. With an idempotency key, a repetition of the request returns the result of the
    /// first one and changes nothing.
    ///
    /// # Errors
    /// As [`Scope::write`], and CONFLICT if the key was used with another input.
    pub async fn write_once<T, F>(
        &self,
        permission: Permission,
        key: Option<Key>,
        body: impl FnOnce(Tx) -> F,
    ) -> Result<T, Failure>
    where
        T: Recall,
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let Some(key) = key else { return self.write(permission, body).await };
        self.require(permission)?;
        let actor = self.0.session.user()?.user_id;
        let tx = self.begin().await?;
        let outcome = idempotency::once(self, &tx, actor, &key, body(tx.share()).boxed()).await;
        tx.settle(outcome).await
    }

    async fn begin(&self) -> Result<Tx, Failure> {
        let database = &self.0.database.0;
        let begin = Begin::write(&self.0.clock, &self.0.request_id).of(&self.0.session)?;
        Tx::open(&database.app, begin).await
    }
}
