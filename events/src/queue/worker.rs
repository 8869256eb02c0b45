use std::{collections::HashMap, time::Duration};

use tenancy::{Failure, SystemDoor};
use tokio::task::{JoinError, JoinSet};
use uuid::Uuid;

use super::{
    ClaimedJob, Handlers, JobError,
    backoff::{self, MAX_ATTEMPTS},
    store::{self, Claim, Row},
};

/// The default lease. The jobs of a worker that dies can be claimed again after this time.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
/// How many jobs one gateway runs concurrently: most of them wait for other hosts.
const SLOTS: usize = 64;
/// How many slots jobs of slow kinds may use; the rest is reserved for the other kinds.
const SLOW_SLOTS: usize = 48;
/// How many slots one organisation may use, so that its slow receivers do not block others.
const SLOTS_OF_ONE: i64 = 8;
/// The longest error message that is stored, in characters.
const MAX_ERROR: usize = 1000;

/// Claims and runs jobs. One per gateway.
#[derive(Clone)]
pub(crate) struct Worker {
    door: SystemDoor,
    handlers: Handlers,
    lease: Duration,
}

/// The running jobs. Each task returns a [`FinishedJob`].
#[derive(Default)]
pub(crate) struct Running {
    tasks: JoinSet<FinishedJob>,
    of: HashMap<Uuid, i64>,
    slow: usize,
}

/// The slot that a finished job releases.
struct FinishedJob {
    organisation_id: Uuid,
    is_slow: bool,
}

impl Running {
    fn free(&self, slow: bool) -> usize {
        let free = SLOTS.saturating_sub(self.tasks.len());
        if slow { free.min(SLOW_SLOTS.saturating_sub(self.slow)) } else { free }
    }

    /// Whether no job is running.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits until a job ends; for ever if none is running.
    pub(crate) async fn next_finished(&mut self) {
        match self.tasks.join_next().await {
            Some(ended) => self.release(ended),
            None => std::future::pending().await,
        }
    }

    /// Releases the slots of all jobs that have ended.
    pub(crate) fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            self.release(ended);
        }
    }

    fn release(&mut self, ended: Result<FinishedJob, JoinError>) {
        match ended {
            Ok(FinishedJob { organisation_id, is_slow }) => {
                self.slow -= usize::from(is_slow);
                if let Some(count) = self.of.get_mut(&organisation_id) {
                    *count -= 1;
                }
                self.of.retain(|_, count| *count > 0);
            }
            // Panics of handlers are caught in `attempt`; this happens only when the runtime stops.
            Err(error) => tracing::error!(%error, "a job's task was lost"),
        }
    }
}

impl Worker {
    pub(crate) fn new(door: SystemDoor, handlers: Handlers, lease: Duration) -> Self {
        Self { door, handlers, lease }
    }

    /// How long a handler may take: less than the lease, so that no second worker runs the same job.
    fn handling(&self) -> Duration {
        self.lease * 3 / 4
    }

    /// Starts due jobs, as far as slots are free; returns how many.
    pub(crate) async fn start_due(
        &self,
        running: &mut Running,
        only: Option<Uuid>,
    ) -> Result<usize, Failure> {
        let quick = self.start_lane(running, only, false).await?;
        Ok(quick + self.start_lane(running, only, true).await?)
    }

    async fn start_lane(
        &self,
        running: &mut Running,
        only: Option<Uuid>,
        is_slow: bool,
    ) -> Result<usize, Failure> {
        let (free, kinds) = (running.free(is_slow), self.handlers.kinds(is_slow));
        if free == 0 || kinds.is_empty() {
            return Ok(0);
        }
        let claim = Claim {
            count: i64::try_from(free).unwrap_or(i64::MAX),
            of_each: SLOTS_OF_ONE,
            kinds,
            only,
            running: running.of.iter().map(|(id, count)| (*id, *count)).collect(),
            lease: self.lease,
        };
        let rows = store::claim(&self.door, claim).await?;
        let count = rows.len();
        for row in rows {
            let organisation_id = row.organisation_id;
            *running.of.entry(organisation_id).or_default() += 1;
            running.slow += usize::from(is_slow);
            let worker = self.clone();
            running.tasks.spawn(async move {
                worker.run(row).await;
                FinishedJob { organisation_id, is_slow }
            });
        }
        Ok(count)
    }

    /// Runs one claimed job and records the outcome. If recording fails, the lease expires and the job
    /// runs again.
    async fn run(&self, row: Row) {
        let settled = match self.attempt(&row).await {
            Ok(()) => store::done(&self.door, &row).await,
            Err(error) => self.failed(&row, error).await,
        };
        if let Err(failure) = settled {
            tracing::warn!(?failure, job = %row.id, kind = row.kind, "the outcome of a job could not be recorded");
        }
    }

    async fn attempt(&self, row: &Row) -> Result<(), JobError> {
        // Claimed more often than allowed: a worker died at it each time.
        if row.attempts > MAX_ATTEMPTS {
            return Err(JobError::permanent("The worker stopped in the midst of the last attempt."));
        }
        let handler = self.handlers.of(&row.kind);
        let handler =
            handler.ok_or_else(|| JobError::transient("There is no handler for jobs of this kind."))?;
        // A separate task, so that a panic of the handler fails only this job. Dropping the JoinSet
        // aborts the task.
        let mut handling = JoinSet::new();
        let claimed = ClaimedJob::new(row, &self.door);
        handling.spawn(async move { handler(claimed).await });
        match tokio::time::timeout(self.handling(), handling.join_next()).await {
            Ok(Some(Ok(outcome))) => outcome,
            Ok(panic) => {
                tracing::error!(?panic, job = %row.id, kind = row.kind, "a job's handler panicked");
                Err(JobError::transient("It failed inside the service."))
            }
            Err(_) => Err(JobError::transient(format!(
                "It took longer than {} seconds.",
                self.handling().as_secs()
            ))),
        }
    }

    async fn failed(&self, row: &Row, error: JobError) -> Result<(), Failure> {
        let JobError { message, permanent, wait: requested } = error;
        let error: String = message.chars().take(MAX_ERROR).collect();
        if permanent || row.attempts >= MAX_ATTEMPTS {
            tracing::warn!(job = %row.id, kind = row.kind, organisation_id = %row.organisation_id, error, "a job became a dead letter");
            return store::dead_letter(&self.door, row, &error).await;
        }
        let wait = backoff::wait(row.attempts, rand::random());
        let wait = requested.map_or(wait, |requested| requested.max(wait));
        store::postpone(&self.door, row, &error, wait).await
    }
}
