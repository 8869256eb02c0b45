//! The queue of background jobs. Any gateway runs them; delivery is at least once.
//!
//! A job is enqueued in the transaction that causes it, so it exists if and only if the transaction
//! commits. A worker claims a job with a lease; if the worker dies, the lease expires and another
//! worker claims the job. A failed job is retried with exponential back-off; after the last attempt
//! it becomes a dead letter, which an admin can replay. Jobs with the same `sequence_key` run one
//! after the other.

mod backoff;
pub(crate) mod store;
mod worker;

use std::{collections::HashMap, sync::Arc, time::Duration};

use diesel::prelude::*;
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::Value;
use tenancy::{Failure, RequestId, Scope, Tx};
use uuid::Uuid;

pub(crate) use worker::{LEASE, Running, Worker};

use crate::tables::jobs;
use backoff::MAX_ATTEMPTS;

/// A background job.
#[derive(Clone, Debug)]
pub struct Job {
    /// The kind, which selects the handler.
    pub kind: &'static str,
    /// The data for the handler.
    pub payload: Value,
    /// A short description, shown with dead letters: no secrets.
    pub summary: String,
}

/// Enqueues a job: it runs soon after the transaction commits, and never if it rolls back.
///
/// # Errors
/// Errors of the database.
pub async fn enqueue(tx: &Tx, job: Job) -> Result<(), Failure> {
    let row = (
        jobs::id.eq(Uuid::now_v7()),
        jobs::kind.eq(job.kind),
        jobs::payload.eq(job.payload),
        jobs::summary.eq(job.summary),
    );
    tx.execute(diesel::insert_into(jobs::table).values(row)).await?;
    tx.announce();
    Ok(())
}

/// A claimed job, as passed to its handler.
pub struct ClaimedJob {
    /// A scope of the job's organisation, with all permissions.
    pub scope: Scope,
    /// The data that was enqueued.
    pub payload: Value,
    /// The number of attempts, including this one.
    pub attempts: i32,
    pub(crate) id: Uuid,
    lease: Uuid,
}

impl ClaimedJob {
    fn new(row: &store::Row, door: &tenancy::SystemDoor) -> Self {
        let request_id = row.request_id.as_deref().and_then(RequestId::parse).unwrap_or_default();
        Self {
            scope: door.job_scope(row.organisation_id, request_id),
            payload: row.payload.clone(),
            attempts: row.attempts,
            id: row.id,
            lease: row.lease,
        }
    }

    /// The job's id, the same in every attempt: receivers use it to recognise a repetition.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Whether this is the last attempt.
    pub fn is_last_attempt(&self) -> bool {
        self.attempts >= MAX_ATTEMPTS
    }

    /// Deletes the job in the handler's own transaction, so that its changes happen exactly once.
    ///
    /// # Errors
    /// An internal error if the lease has expired and another worker has claimed the job; the
    /// transaction must roll back.
    pub async fn finish(&self, tx: &Tx) -> Result<(), Failure> {
        let own = jobs::table.filter(jobs::id.eq(self.id).and(jobs::lease.eq(self.lease)));
        match tx.execute(diesel::delete(own)).await? {
            0 => Err(Failure::internal("the lease of a job ran out while it was being done")),
            _ => Ok(()),
        }
    }
}

/// Why an attempt at a job failed.
#[derive(Debug)]
pub struct JobError {
    /// A sentence, shown with dead letters: no secrets.
    pub message: String,
    /// Whether retrying is pointless.
    pub permanent: bool,
    /// The shortest wait before the next attempt, if the receiver named one.
    pub wait: Option<Duration>,
}

impl JobError {
    /// An error that may go away by itself: the job is retried.
    pub fn transient(message: impl Into<String>) -> Self {
        Self { message: message.into(), permanent: false, wait: None }
    }

    /// An error that retrying does not fix: the job becomes a dead letter at once.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), permanent: true, wait: None }
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::User(errors) => Self::permanent(
                errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" "),
            ),
            failure => {
                // Internal details go to the log only.
                tracing::warn!(?failure, "a job failed");
                Self::transient("It failed inside the service.")
            }
        }
    }
}

type Handler = Arc<dyn Fn(ClaimedJob) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>;

/// The handlers of jobs, by kind.
#[derive(Clone, Default)]
pub struct Handlers(HashMap<&'static str, (Handler, bool)>);

impl Handlers {
    /// Registers the handler of a kind. It may run more than once for one job, unless it calls
    /// [`ClaimedJob::finish`] in its own transaction.
    #[must_use]
    pub fn with<F>(
        mut self,
        kind: &'static str,
        run: impl Fn(ClaimedJob) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.0.insert(kind, (Arc::new(move |claimed| run(claimed).boxed()), false));
        self
    }

    /// Marks a registered kind as slow: its jobs call hosts chosen by users, so they may use at most
    /// `SLOW_SLOTS` of a worker's slots.
    #[must_use]
    pub fn slow(mut self, kind: &'static str) -> Self {
        if let Some((_, is_slow)) = self.0.get_mut(kind) {
            *is_slow = true;
        }
        self
    }

    fn kinds(&self, slow: bool) -> Vec<&'static str> {
        self.0.iter().filter(|(_, (_, is_slow))| *is_slow == slow).map(|(kind, _)| *kind).collect()
    }

    fn of(&self, kind: &str) -> Option<Handler> {
        self.0.get(kind).map(|(handler, _)| Arc::clone(handler))
    }
}
