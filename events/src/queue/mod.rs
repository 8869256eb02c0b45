//! The queue of background jobs: what is to be done after a change, by any gateway, at least once.
//!
//! A job is enqueued inside the transaction of what causes it, so it is there if and only if that
//! was committed. A worker claims it for the time of a lease; a worker that dies in any moment lets
//! the lease end, and another takes the job over. What fails is tried again with exponential
//! back-off, and in the end becomes a dead letter, which an admin sees and can replay. Jobs of one
//! `sequence` run one after the other.

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

/// Something to be done in the background.
#[derive(Clone, Debug)]
pub struct Job {
    /// Which handler does it.
    pub kind: &'static str,
    /// What the handler needs to know.
    pub payload: Value,
    /// What it is about, for the people who look at dead letters: no secrets.
    pub summary: String,
}

/// Enqueues a job; it is run soon after this write was committed, and never if it was not.
///
/// # Errors
/// What the database refuses.
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

/// A job that a worker has claimed, as its handler sees it.
pub struct ClaimedJob {
    /// The job's organisation: the handler may do everything there.
    pub scope: Scope,
    /// What it needs to know.
    pub payload: Value,
    /// How often it was tried, this time included.
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

    /// The job's id: the same in every attempt, so that a receiver knows a repetition.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Whether there is no other attempt after this one.
    pub fn is_last_attempt(&self) -> bool {
        self.attempts >= MAX_ATTEMPTS
    }

    /// Ends the job inside the handler's own write: what that changes happens once, whenever the
    /// worker dies.
    ///
    /// # Errors
    /// A fault if the lease ran out and the job is somebody else's now; the write must not go on.
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
    /// What went wrong, for the people who look at dead letters: no secrets.
    pub message: String,
    /// Whether another attempt cannot help.
    pub permanent: bool,
    /// What the other side asked to wait at least.
    pub wait: Option<Duration>,
}

impl JobError {
    /// Another attempt may help.
    pub fn transient(message: impl Into<String>) -> Self {
        Self { message: message.into(), permanent: false, wait: None }
    }

    /// Another attempt cannot help.
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
                // What is wrong inside is for the log alone.
                tracing::warn!(?failure, "a job failed");
                Self::transient("It failed inside the service.")
            }
        }
    }
}

type Handler = Arc<dyn Fn(ClaimedJob) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>;

/// Who does which kind of job.
#[derive(Clone, Default)]
pub struct Handlers(HashMap<&'static str, (Handler, bool)>);

impl Handlers {
    /// Jobs of this kind are done by this function. It may be run more than once for one job, unless
    /// it ends the job inside its own write ([`ClaimedJob::finish`]).
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

    /// Jobs of this kind, which must be known, wait for whomever strangers name: they leave places to
    /// the others.
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
