//! The two ways SQL leaves this process: a read in one flush, and a write's transaction.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use diesel::{
    QueryResult,
    deserialize::FromSqlRow,
    pg::{Pg, PgQueryBuilder},
    query_builder::{AsQuery, AstPass, Query, QueryBuilder, QueryFragment, QueryId},
    query_dsl::CompatibleType,
    result::Error,
};
use diesel_async::{AsyncConnectionCore, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::{
    FutureExt, TryStreamExt,
    future::{BoxFuture, maybe_done},
    join, poll,
};
use tokio::{sync::Notify, task::unconstrained};
use uuid::Uuid;

use crate::{
    Event, Failure, Refusal,
    connection::{CHECKOUT_TIMEOUT, Connection, Lease, Pool},
    constraint::Constraints,
    database::Begin,
    event::Publish,
    share::Shares,
};

const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// What all reads and writes of one of PostgreSQL's roles share.
#[derive(Clone)]
pub(crate) struct DatabaseRole {
    pub(crate) pool: Arc<Pool>,
    /// What one organisation may have of the pool; none for a role that works for all of them.
    pub(crate) shares: Option<Arc<Shares>>,
    pub(crate) constraints: Arc<Constraints>,
    /// Told after every commit that published something.
    pub(crate) published: Arc<Notify>,
}

/// One query in a transaction of its own: `BEGIN` with its settings, the query and `COMMIT` in one
/// flush where the statement is prepared already.
///
/// diesel-async prepares an unknown statement first, and a `COMMIT` sent at once would overtake the
/// query, which would then run outside its transaction. So both are polled once: if a statement
/// entered the cache during that poll it was unknown, and `COMMIT` waits for the answer.
pub(crate) async fn read<Q, U, ST>(role: &DatabaseRole, begin: &Begin, query: Q) -> Result<Vec<U>, Failure>
where
    Q: AsQuery + Send,
    Q::Query: QueryFragment<Pg> + QueryId + Send,
    Q::SqlType: CompatibleType<U, Pg, SqlType = ST>,
    U: FromSqlRow<ST, Pg> + Send,
{
    let lease = role.lease(begin.organisation_id).await?;
    let connection = lease.connection()?;
    let pg = connection.pg();
    let known = connection.statements();

    let query = Remembered::new(query.as_query());
    let stays = query.stays;
    let mut begin = pin!(maybe_done(batch(pg, &begin.sql)));
    // Unconstrained: a task that has used its turn up would leave the first poll without an effect.
    let mut rows = pin!(maybe_done(unconstrained(load(pg, query))));
    let _ = poll!(begin.as_mut());
    let _ = poll!(rows.as_mut());
    let committed = if stays && connection.statements() == known {
        join!(begin.as_mut(), rows.as_mut(), batch(pg, COMMIT)).2
    } else {
        join!(begin.as_mut(), rows.as_mut());
        batch(pg, COMMIT).await
    };
    let unanswered = || Err(Error::NotFound);
    let answers = (
        begin.as_mut().take_output().unwrap_or_else(unanswered),
        rows.as_mut().take_output().unwrap_or_else(|| Err(Error::NotFound)),
    );
    if committed.is_ok() {
        lease.settle();
    }
    let rows = match (answers, committed) {
        ((Ok(()), Ok(rows)), Ok(())) => Ok(rows),
        // The query's own complaint says more than what followed from it.
        ((_, Err(error)), _) | ((Err(error), _), _) | (_, Err(error)) => Err(error),
    };
    build(&rows.map_err(|error| role.explain(error))?)
}

/// The longest statement that stays prepared although diesel would not keep it: an import's is
/// longer, and is seldom the same twice.
const MAX_REMEMBERED: usize = 4096;

/// A query whose statement stays prepared. diesel does not keep what may differ from one call to
/// the next (every UPDATE, every list of rows, SQL by hand); known by its text, as here, it cannot
/// be taken for another.
struct Remembered<Q> {
    query: Q,
    stays: bool,
}

impl<Q: QueryFragment<Pg>> Remembered<Q> {
    fn new(query: Q) -> Self {
        let is_short = || {
            let mut sql = PgQueryBuilder::default();
            query.to_sql(&mut sql, &Pg).is_ok_and(|()| sql.finish().len() <= MAX_REMEMBERED)
        };
        let stays = query.is_safe_to_cache_prepared(&Pg).unwrap_or(false) || is_short();
        Self { query, stays }
    }
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Remembered<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.query.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(self.stays)
    }
}

impl<Q> QueryId for Remembered<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Remembered<Q> {
    type SqlType = Q::SqlType;
}

/// The last statement of a write and its `COMMIT`, in one flush where the statement is prepared
/// already; for what could overtake what, see [`read`]. PostgreSQL turns the `COMMIT` behind a
/// statement that failed into a rollback.
async fn publish_and_commit(connection: &Connection, publish: Publish) -> QueryResult<()> {
    let mut pg = connection.pg();
    let known = connection.statements();
    let mut published = pin!(maybe_done(unconstrained(pg.execute_returning_count(Remembered::new(publish)))));
    let _ = poll!(published.as_mut());
    let committed = if connection.statements() == known {
        join!(published.as_mut(), batch(connection.pg(), COMMIT)).1
    } else {
        published.as_mut().await;
        batch(connection.pg(), COMMIT).await
    };
    published.as_mut().take_output().unwrap_or(Err(Error::NotFound))?;
    committed
}

// Boxed, because it is large and moved often.
fn batch<'c>(mut pg: &'c AsyncPgConnection, sql: &'c str) -> BoxFuture<'c, QueryResult<()>> {
    async move { pg.batch_execute(sql).await }.boxed()
}

type Row = <AsyncPgConnection as AsyncConnectionCore>::Row<'static, 'static>;

// Boxed: the type of every query ends here, or compile times and stacks grow with all of them.
fn load<'c, Q>(mut pg: &'c AsyncPgConnection, query: Q) -> BoxFuture<'c, QueryResult<Vec<Row>>>
where
    Q: AsQuery,
    Q::Query: QueryFragment<Pg> + QueryId,
{
    let rows = AsyncConnectionCore::load(&mut pg, query.as_query());
    async { rows.await?.try_collect().await }.boxed()
}

fn build<U, ST>(rows: &[Row]) -> Result<Vec<U>, Failure>
where
    U: FromSqlRow<ST, Pg>,
{
    rows.iter()
        .map(|row| {
            U::build_from_row(row).map_err(|error| Failure::internal(Error::DeserializationError(error)))
        })
        .collect()
}

impl DatabaseRole {
    /// A connection, within the share of the organisation that it is for.
    async fn lease(&self, organisation_id: Option<Uuid>) -> Result<Lease, Failure> {
        let place = match (&self.shares, organisation_id) {
            (Some(shares), Some(id)) => Some(shares.place(id, CHECKOUT_TIMEOUT).await?),
            _ => None,
        };
        self.pool.lease(place).await
    }

    fn explain(&self, error: Error) -> Failure {
        let failure = self.constraints.explain(error);
        if matches!(failure, Failure::Refused(Refusal::Unavailable)) {
            self.pool.forget_idle();
        }
        failure
    }
}

/// The open transaction of a [`crate::Scope::write`].
///
/// It cannot be kept: `write` takes it back, and rolls back unless its body succeeded.
pub struct Tx(Arc<Open>);

struct Open {
    lease: Lease,
    // Sent together with the next statement, to spare a round trip.
    ahead: Mutex<Ahead>,
    // PostgreSQL has given the transaction up, whatever the body makes of it.
    failed: AtomicBool,
    // What goes into the outbox together with the COMMIT.
    events: Mutex<Vec<Event>>,
    // Whether gateways are to look for work after the COMMIT.
    announced: AtomicBool,
    // Whether all is rolled back although the body succeeds.
    discarded: AtomicBool,
    role: DatabaseRole,
}

/// SQL that waits for the next statement.
struct Ahead {
    sql: String,
    /// How often such SQL was sent; `BEGIN` is the first.
    sent: usize,
    /// How many savepoints there have been.
    savepoints: usize,
}

impl Tx {
    pub(crate) async fn open(role: &DatabaseRole, begin: Begin) -> Result<Self, Failure> {
        let lease = role.lease(begin.organisation_id).await?;
        Ok(Self(Arc::new(Open {
            lease,
            ahead: Mutex::new(Ahead { sql: begin.sql, sent: 0, savepoints: 0 }),
            failed: AtomicBool::new(false),
            events: Mutex::default(),
            announced: AtomicBool::new(false),
            discarded: AtomicBool::new(false),
            role: role.clone(),
        })))
    }

    /// A second handle, for the body; `settle` waits for the first to be the last.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// User errors of constraints, refusals, or a fault of ours.
    pub async fn rows<Q, U, ST>(&self, query: Q) -> Result<Vec<U>, Failure>
    where
        Q: AsQuery + Send,
        Q::Query: QueryFragment<Pg> + QueryId + Send,
        Q::SqlType: CompatibleType<U, Pg, SqlType = ST>,
        U: FromSqlRow<ST, Pg> + Send,
    {
        let pg = self.0.lease.connection()?.pg();
        let query = Remembered::new(query.as_query());
        let rows = match self.0.take_ahead() {
            None => load(pg, query).await,
            Some(ahead) => {
                let (sent, rows) = join!(batch(pg, &ahead), load(pg, query));
                sent.and(rows)
            }
        };
        build(&rows.map_err(|error| self.0.fail(error))?)
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn row<Q, U, ST>(&self, query: Q) -> Result<Option<U>, Failure>
    where
        Q: AsQuery + Send,
        Q::Query: QueryFragment<Pg> + QueryId + Send,
        Q::SqlType: CompatibleType<U, Pg, SqlType = ST>,
        U: FromSqlRow<ST, Pg> + Send,
    {
        Ok(self.rows(query).await?.into_iter().next())
    }

    /// Runs a statement and answers how many rows it touched.
    ///
    /// # Errors
    /// As [`Tx::rows`].
    pub async fn execute<Q>(&self, query: Q) -> Result<usize, Failure>
    where
        Q: QueryFragment<Pg> + QueryId + Send,
    {
        let mut pg = self.0.lease.connection()?.pg();
        let query = Remembered::new(query);
        let touched = match self.0.take_ahead() {
            None => pg.execute_returning_count(query).await,
            Some(ahead) => {
                let (sent, touched) = join!(batch(pg, &ahead), pg.execute_returning_count(query));
                sent.and(touched)
            }
        };
        touched.map_err(|error| self.0.fail(error))
    }

    /// Says that something happened: everybody whom it concerns hears of it if this write is
    /// committed, and nobody if it is not. Costs one statement for all events of the write, sent
    /// together with its `COMMIT`.
    pub fn publish(&self, event: Event) {
        self.0.events().push(event);
        self.announce();
    }

    /// Once this write is committed, every gateway looks for what there is to do.
    pub fn announce(&self) {
        self.0.announced.store(true, Ordering::Relaxed);
    }

    /// Carries out one of several steps, one after the other. If it fails with errors for the user, what it
    /// wrote and published is undone, and the transaction goes on; other failures end it. Costs no round
    /// trip: the savepoint is sent together with the step's first statement.
    ///
    /// # Errors
    /// Those of the step.
    pub async fn step<T>(&self, step: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let (published, had_failed) = (self.0.events().len(), self.0.failed.load(Ordering::Relaxed));
        let (savepoint, before, sent) = self.0.ahead().savepoint();
        let outcome = step.await;
        let is_refused = matches!(outcome, Err(Failure::User(_)));
        let mut ahead = self.0.ahead();
        if ahead.sent == sent {
            // The step sent no statement.
            ahead.sql.truncate(before);
        } else if is_refused {
            ahead.sql.push_str(&format!("; ROLLBACK TO {savepoint}; RELEASE {savepoint}"));
            self.0.failed.store(had_failed, Ordering::Relaxed);
        } else {
            ahead.sql.push_str(&format!("; RELEASE {savepoint}"));
        }
        if is_refused {
            self.0.events().truncate(published);
        }
        outcome
    }

    /// Rolls back in the end although the body succeeds. An idempotency key is not used up.
    pub fn discard(&self) {
        self.0.discarded.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_discarded(&self) -> bool {
        self.0.discarded.load(Ordering::Relaxed)
    }

    /// Commits what succeeded, rolls back what did not.
    pub(crate) async fn settle<T>(self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        let Some(open) = Arc::into_inner(self.0) else {
            return Err(Failure::internal("a transaction was kept beyond its write"));
        };
        // PostgreSQL would answer such a COMMIT with a silent rollback.
        let outcome = match outcome {
            Ok(_) if open.failed.load(Ordering::Relaxed) && !open.discarded.load(Ordering::Relaxed) => {
                Err(Failure::internal("a body went on after a statement had failed"))
            }
            outcome => outcome,
        };
        let commits = outcome.is_ok() && !open.discarded.load(Ordering::Relaxed);
        let Err(error) = open.end(commits).await else {
            open.lease.settle();
            return outcome;
        };
        // Not settled: the connection is thrown away.
        outcome.and_then(|_| Err(open.fail(error)))
    }
}

impl Ahead {
    /// A new savepoint, with the length of what stood before it and how often was sent until then.
    fn savepoint(&mut self) -> (String, usize, usize) {
        self.savepoints += 1;
        let (savepoint, before) = (format!("step{}", self.savepoints), self.sql.len());
        self.sql.push_str("; SAVEPOINT ");
        self.sql.push_str(&savepoint);
        (savepoint, before, self.sent)
    }
}

impl Open {
    /// Ends the transaction, unless nothing has begun it.
    async fn end(&self, commits: bool) -> QueryResult<()> {
        let connection = self.lease.connection().map_err(|_| Error::BrokenTransactionManager)?;
        let events = std::mem::take(&mut *self.events());
        let begun = self.ahead().sent > 0;
        if !begun && (!commits || events.is_empty()) {
            return Ok(());
        }
        if !commits {
            return batch(connection.pg(), ROLLBACK).await;
        }
        if let Some(ahead) = self.take_ahead() {
            batch(connection.pg(), &ahead).await?;
        }
        if events.is_empty() {
            batch(connection.pg(), COMMIT).await?;
        } else {
            publish_and_commit(connection, Publish::new(events)).await?;
        }
        if self.announced.load(Ordering::Relaxed) {
            self.role.published.notify_one();
        }
        Ok(())
    }

    /// What is to be sent together with the next statement.
    fn take_ahead(&self) -> Option<String> {
        let mut ahead = self.ahead();
        ahead.sent += usize::from(!ahead.sql.is_empty());
        // What follows a statement starts with the separator from the one before.
        let sql = std::mem::take(&mut ahead.sql);
        (!sql.is_empty()).then(|| sql.trim_start_matches("; ").to_owned())
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fail(&self, error: Error) -> Failure {
        self.failed.store(true, Ordering::Relaxed);
        self.role.explain(error)
    }
}
