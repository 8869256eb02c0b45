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

/// The way around tenants, for the few counted tables that `tessera_system` reaches: accounts and
/// their users at log-in, and the making of organisations.
///
/// [`Database::open`] gives it to the gateway, which hands it to identity and events alone.
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

    /// All rows of one query, as `tessera_system`.
    ///
    /// # Errors
    /// A refusal, or a fault of ours.
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

    /// Changes something as `tessera_system`; what it touches of a tenant belongs to this
    /// organisation, and this user is named in the audit.
    ///
    /// # Errors
    /// What the body answers, and what a constraint or the database refuse.
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

    /// Changes rows of any organisation as `tessera_system`: what jobs are settled with. Rows that it
    /// adds name their organisation themselves.
    ///
    /// # Errors
    /// What the body answers, and what the database refuses.
    pub async fn write_across<T, F>(&self, body: impl FnOnce(Tx) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send,
    {
        self.write_as(Begin::write(&self.0.0.clock, &RequestId::new()), body).await
    }

    /// As [`SystemDoor::write_across`], with statements that PostgreSQL plans anew each time: for
    /// those over tables that are empty at one moment and long at the next, where a plan that was
    /// kept can be a thousand times slower.
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

    /// A scope for a background job of this organisation: it may do everything there, and is
    /// nobody. A job checks by itself what the one who asked for it was allowed to.
    pub fn job_scope(&self, organisation_id: Uuid, request_id: RequestId) -> Scope {
        Scope::new(self.0.clone(), Session::of_job(self, organisation_id), request_id)
    }

    /// Waits until a write of this process has published something since this was last asked.
    pub async fn published(&self) {
        self.0.0.published.notified().await;
    }

    /// Counts up whenever a gateway has announced that something was published, and whenever such
    /// an announcement may have been missed.
    pub fn announced(&self) -> watch::Receiver<u64> {
        self.0.0.announced.subscribe()
    }

    /// A scope for the holder of a token that carries this organisation's id.
    pub fn token_scope(&self, organisation_id: Uuid, request_id: RequestId) -> Scope {
        Scope::new(self.0.clone(), Session::of_token(self, organisation_id), request_id)
    }

    /// A scope for a logged-in user.
    pub fn user_scope(&self, user: Arc<UserSession>, request_id: RequestId) -> Scope {
        Scope::new(self.0.clone(), Session::of_user(self, user), request_id)
    }

    /// The session of a log-in, from memory if it is fresh there, else as `load` finds it.
    ///
    /// # Errors
    /// What `load` answers.
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
