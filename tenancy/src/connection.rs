//! The connection pool.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use diesel::{ConnectionError, connection::InstrumentationEvent};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, pooled_connection::PoolableConnection,
};
use url::Url;

use crate::{Failure, Limits, Refusal, share::Place};

/// The number of prepared statements after which a connection is closed: diesel-async's statement
/// cache is unbounded, and each statement uses memory in PostgreSQL.
const MAX_STATEMENTS: usize = 500;
/// The age at which a connection is closed, because PostgreSQL's caches grow with it.
const MAX_AGE: Duration = Duration::from_secs(30 * 60);
/// How long a request waits for a free connection before it fails with UNAVAILABLE.
pub(crate) const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Connection {
    pg: AsyncPgConnection,
    statements: Arc<AtomicUsize>,
    opened: Instant,
}

impl Connection {
    /// Opens a connection with the session settings of the service.
    async fn open(url: &Url, limits: &Limits) -> Result<Self, ConnectionError> {
        let mut pg = AsyncPgConnection::establish(url.as_str()).await?;
        // idle_in_transaction: an abandoned transaction must not hold its locks.
        // client_connection_check: a statement whose request was cancelled stops within a second.
        // jit: compiling costs more than executing these short statements.
        // hash_mem_multiplier: filters through relations are fast while their hash table fits into
        // this multiple of 4 MB: three million rows of one organisation. A larger table would make
        // PostgreSQL compare every pair of rows.
        // random_page_cost: for memory and SSDs. With the default, meant for hard disks, PostgreSQL
        // scans an organisation's whole index instead of doing twenty lookups.
        let settings = format!(
            "SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
             SET client_connection_check_interval = 1000; SET jit = off; SET random_page_cost = 1.1; \
             SET hash_mem_multiplier = 32; \
             SET application_name = 'tessera'",
            limits.statement_timeout.as_millis(),
            limits.idle_timeout.as_millis(),
        );
        pg.batch_execute(&settings).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
        let statements = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&statements);
        pg.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::CacheQuery { .. } = event {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { pg, statements, opened: Instant::now() })
    }

    pub(crate) fn pg(&self) -> &AsyncPgConnection {
        &self.pg
    }

    /// The number of statements prepared on this connection.
    pub(crate) fn statements(&self) -> usize {
        self.statements.load(Ordering::Relaxed)
    }
}

pub(crate) struct Connector {
    url: Url,
    limits: Limits,
}

impl managed::Manager for Connector {
    type Type = Connection;
    type Error = ConnectionError;

    async fn create(&self) -> Result<Connection, ConnectionError> {
        // Boxed, because opening is rare and would make the future of every checkout large.
        Box::pin(Connection::open(&self.url, &self.limits)).await
    }

    // Sends no query: a checkout must not cost a round trip. A connection that was closed while idle is
    // either known to be broken, or fails at its next use; `Pool::forget_idle` then drops the others.
    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<ConnectionError> {
        if connection.pg.is_broken() {
            return Err(RecycleError::message("closed"));
        }
        if connection.statements() >= MAX_STATEMENTS || connection.opened.elapsed() > MAX_AGE {
            return Err(RecycleError::message("worn out"));
        }
        Ok(())
    }
}

/// The connections of one role.
pub(crate) struct Pool(managed::Pool<Connector>);

impl Pool {
    pub(crate) fn new(url: Url, limits: &Limits) -> Result<Self, managed::BuildError> {
        managed::Pool::builder(Connector { url, limits: limits.clone() })
            .max_size(limits.connections)
            .wait_timeout(Some(CHECKOUT_TIMEOUT))
            .create_timeout(Some(CHECKOUT_TIMEOUT))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map(Self)
    }

    pub(crate) async fn lease(&self, place: Option<Place>) -> Result<Lease, Failure> {
        match self.0.get().await {
            Ok(object) => Ok(Lease { object: Some(object), settled: AtomicBool::new(false), _place: place }),
            Err(error) => {
                tracing::warn!(%error, "no connection to PostgreSQL");
                Err(Refusal::Unavailable.into())
            }
        }
    }

    /// Drops all idle connections, after one of them was found to be dead.
    pub(crate) fn forget_idle(&self) {
        self.0.retain(|_, _| false);
    }
}

/// A checked-out connection. It returns to the pool only if its transaction was settled; otherwise it
/// is closed, which rolls back the transaction of a cancelled request.
pub(crate) struct Lease {
    object: Option<managed::Object<Connector>>,
    settled: AtomicBool,
    // Declared last, because fields are dropped in order: released after the connection.
    _place: Option<Place>,
}

impl Lease {
    pub(crate) fn connection(&self) -> Result<&Connection, Failure> {
        self.object.as_deref().ok_or_else(|| Failure::internal("the connection was given back"))
    }

    /// Marks the transaction as committed or rolled back.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !*self.settled.get_mut()
            && let Some(object) = self.object.take()
        {
            drop(managed::Object::take(object));
        }
    }
}
