use std::sync::Arc;

use diesel::{
    deserialize::FromSqlRow,
    pg::Pg,
    query_builder::{AsQuery, QueryFragment, QueryId},
    query_dsl::CompatibleType,
};
use futures_util::FutureExt;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Clock, Database, Failure, RequestId, Scope, Session, Tx, UserSession, database::Begin, transaction,
};

/// Database access across organisations, limited to the few tables that `tessera_system` may use:
/// accounts and their users at log-in, creating organisations, the outbox and the queue.
///
/// [`Database::open`] returns it to the gateway, which passes it to identity and events only.
#[derive(Clone)]
pub struct SystemDoor(Database);

impl SystemDoor {
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    /// The service's clock.
    pub fn clock(&self) -> &Clock {
        self.0.clock()
    }

    /// Runs a query as `tessera_system` and returns all rows.
    ///
    /// # Errors
    /// A refusal, or an internal error.
    pub async fn rows<Q, U, ST>(&self, query: Q) -> Result<Vec<U>, Failure>
    where
        Q: AsQuery + Send,
        Q::Query: QueryFragment<Pg> + QueryId + Send,
        Q::SqlType: CompatibleType<U, Pg, SqlType = ST>,
        U: FromSqlRow<ST, Pg> + Send,
    {
        let inner = &self.0.0;
        transaction::read(&inner.system, &Begin::read(&inner.clock), query).await
    }

    /// Runs a write as `tessera_system`, in the name of this organisation and, for the audit, this user.
    ///
    /// # Errors
    /// Errors of the body, a violated constraint, or an error of the database.
    pub async fn write<T, F>(
        &self,
        organisation_id: Uuid,
        user_id: Option<Uuid>,
        request_id: &RequestId,
        body: impl FnOnce(Tx) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let begin = Begin::write(&self.0.0.clock, request_id).within(organisation_id);
        let begin = match user_id {
            Some(user_id) => begin.by(user_id),
            None => begin,
        };
        self.write_as(begin, body).await
    }

    /// Runs a write across organisations as `tessera_system`, for the queue. Inserted rows must name
    /// their organisation.
    ///
    /// # Errors
    /// Errors of the body or of the database.
    pub async fn write_across<T, F>(&self, body: impl FnOnce(Tx) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        self.write_as(Begin::write(&self.0.0.clock, &RequestId::new()), body).await
    }

    /// As [`SystemDoor::write_across`], but PostgreSQL plans each statement anew. For tables whose size
    /// changes quickly, such as the queue, where a cached plan can be a thousand times slower.
    ///
    /// # Errors
    /// As [`SystemDoor::write_across`].
    pub async fn write_across_planned<T, F>(&self, body: impl FnOnce(Tx) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let mut begin = Begin::write(&self.0.0.clock, &RequestId::new());
        begin.sql += "; SET LOCAL plan_cache_mode = force_custom_plan";
        self.write_as(begin, body).await
    }

    async fn write_as<T, F>(&self, begin: Begin, body: impl FnOnce(Tx) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let tx = Tx::open(&self.0.0.system, begin).await?;
        let outcome = body(tx.share()).boxed().await;
        tx.settle(outcome).await
    }

    /// The scope of a background job of this organisation: it has all permissions there, but no user.
    /// A job has to check the permissions of the user who caused it.
    pub fn job_scope(&self, organisation_id: Uuid, request_id: RequestId) -> Scope {
        Scope::new(self.0.clone(), Session::of_job(self, organisation_id), request_id)
    }

    /// Waits until a write of this process has published an event or enqueued a job since the last call.
    pub async fn published(&self) {
        self.0.0.published.notified().await;
    }

    /// A counter that increases with every notification of a gateway, and whenever one may have been
    /// missed.
    pub fn announced(&self) -> watch::Receiver<u64> {
        self.0.0.announced.subscribe()
    }

    /// The scope of the holder of a token with this organisation's id.
    pub fn token_scope(&self, organisation_id: Uuid, request_id: RequestId) -> Scope {
        Scope::new(self.0.clone(), Session::of_token(self, organisation_id), request_id)
    }

    /// The scope of a logged-in user.
    pub fn user_scope(&self, user: Arc<UserSession>, request_id: RequestId) -> Scope {
        Scope::new(self.0.clone(), Session::of_user(self, user), request_id)
    }

    /// Returns a log-in session from the cache, or else from `load`.
    ///
    /// # Errors
    /// Errors of `load`.
    pub async fn session<F>(
        &self,
        login_session_id: Uuid,
        load: impl FnOnce() -> F,
    ) -> Result<Arc<UserSession>, Failure>
    where
        F: Future<Output = Result<UserSession, Failure>>,
    {
        self.0.0.sessions.get(login_session_id, load).await
    }
}
