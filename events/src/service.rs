use std::{sync::Arc, time::Duration};

use diesel::{dsl::sql, sql_types as st};
use futures_util::FutureExt;
use tenancy::{Failure, Permission, Scope, SystemDoor};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};
use uuid::Uuid;

use crate::{
    Handlers, Listener, Renew, Schedule, Subscriber, Topic,
    dispatch::{IfLocked, dispatch},
    live::{Hub, Reader},
    mail::{self, Mailer},
    purge,
    queue::{LEASE, Running, Worker},
    webhook,
};

/// How often a gateway polls: for jobs that have become due, and in case a notification was lost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Notifications within this time are merged, so that many writes a second send few of them.
const DEBOUNCE: Duration = Duration::from_millis(5);
/// How long a loop waits after an error of the database.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// The background work of a gateway.
#[derive(Clone, Default)]
pub struct Work {
    /// The handlers of jobs.
    pub handlers: Handlers,
    /// The subscribers to events inside the service.
    pub subscribers: Vec<Subscriber>,
    /// The recurring jobs.
    pub schedules: Vec<Schedule>,
}

impl Work {
    /// The jobs of this crate: mail, webhooks and the daily purge.
    ///
    /// # Errors
    /// The HTTP client for webhooks cannot be created.
    pub fn built_in(mailer: Mailer, reach: webhook::Reach) -> Result<Self, Failure> {
        let sender = Arc::new(webhook::Sender::new(reach)?);
        let handlers = Handlers::default()
            .with(mail::SEND, move |job| mail::deliver(mailer.clone(), job))
            .with(webhook::DELIVER, move |job| webhook::deliver(Arc::clone(&sender), job))
            .slow(webhook::DELIVER)
            .with(purge::DAILY.kind, purge::purge);
        Ok(Self { handlers, subscribers: vec![], schedules: vec![purge::DAILY] })
    }
}

/// The event service of one gateway: listeners, and the tasks that run beside requests.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
    lease: Duration,
}

/// The phase of the background work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Claims jobs.
    Running,
    /// Claims no more jobs; the running ones finish.
    Stopping,
    /// No job is running.
    Stopped,
}

struct Inner {
    phase: watch::Sender<Phase>,
    door: SystemDoor,
    hub: Arc<Hub>,
    reader: Reader,
    renew: Renew,
    work: Work,
}

impl Events {
    /// Creates the service. No task runs until [`Events::start`].
    pub fn new(door: SystemDoor, renew: Renew, work: Work) -> Self {
        let hub = Arc::<Hub>::default();
        let reader = Reader::new(door.clone(), Arc::clone(&hub));
        let phase = watch::Sender::new(Phase::Running);
        Self { inner: Arc::new(Inner { phase, door, hub, reader, renew, work }), lease: LEASE }
    }

    /// Sets the lease of jobs: after this time, another gateway may claim a job that has not finished.
    /// All gateways must use the same lease, or one that is longer than any handler runs.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Subscribes to a topic of the scope's organisation. The listener receives every event that is
    /// committed after this call returns.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN without the permission; UNAVAILABLE if PostgreSQL does not
    /// answer.
    pub async fn listen(
        &self,
        scope: Scope,
        permission: Permission,
        topic: Topic,
    ) -> Result<Listener, Failure> {
        let Inner { hub, reader, renew, .. } = &*self.inner;
        let listener = Listener::new(hub, Arc::clone(renew), scope, permission, topic)?;
        reader.activate().await?;
        Ok(listener)
    }

    /// Starts all background tasks; dropping the returned set aborts them.
    pub fn start(&self) -> JoinSet<()> {
        let mut tasks = self.start_listening();
        tasks.spawn(work(Arc::clone(&self.inner), self.worker()));
        tasks
    }

    /// Starts the live fan-out only, for a gateway that runs no jobs.
    pub fn start_listening(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(announce(self.inner.door.clone()));
        tasks.spawn(read(Arc::clone(&self.inner)));
        tasks
    }

    /// Stops claiming jobs, so that other gateways claim them at once. Running jobs continue.
    pub fn stop_claiming(&self) {
        self.inner.phase.send_replace(Phase::Stopping);
    }

    /// Waits until all running jobs have finished, after [`Events::stop_claiming`].
    pub async fn jobs_finished(&self) {
        // Fails only if the sender was dropped, and `self` holds it.
        let _ = self.inner.phase.subscribe().wait_for(|phase| *phase == Phase::Stopped).await;
    }

    /// Runs all due jobs of one organisation, and the jobs they cause, until none is due.
    ///
    /// # Errors
    /// Errors of the database.
    pub async fn drain(&self, organisation_id: Uuid) -> Result<(), Failure> {
        let Inner { door, work, .. } = &*self.inner;
        let worker = self.worker();
        let mut running = Running::default();
        loop {
            while dispatch(door, &work.subscribers, IfLocked::Wait).await? {}
            if worker.start_due(&mut running, Some(organisation_id)).await? == 0 && running.is_empty() {
                return Ok(());
            }
            running.next_finished().await;
        }
    }

    fn worker(&self) -> Worker {
        Worker::new(self.inner.door.clone(), self.inner.work.handlers.clone(), self.lease)
    }
}

/// Notifies all gateways when a write of this one has published an event or enqueued a job.
async fn announce(door: SystemDoor) {
    loop {
        door.published().await;
        sleep(DEBOUNCE).await;
        let notify = diesel::select(sql::<st::Text>("pg_notify('tessera_events', '')::text"));
        if let Err(failure) = door.rows::<_, String, _>(notify).await {
            tracing::warn!(?failure, "gateways could not be notified of events; they poll");
        }
    }
}

/// Sends new events to the listeners after every notification.
async fn read(inner: Arc<Inner>) {
    let mut announced = inner.door.announced();
    loop {
        announced.mark_unchanged();
        if let Err(failure) = inner.reader.poll().await {
            tracing::warn!(?failure, "events could not be read");
            sleep(RETRY_DELAY).await;
            continue;
        }
        tokio::select! {
            _ = announced.changed() => {}
            () = sleep(POLL_INTERVAL) => {}
        }
    }
}

/// Dispatches events and runs jobs.
async fn work(inner: Arc<Inner>, worker: Worker) {
    let mut announced = inner.door.announced();
    let mut phase = inner.phase.subscribe();
    let mut running = Running::default();
    let mut schedules = interval(POLL_INTERVAL);
    schedules.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while *phase.borrow_and_update() == Phase::Running {
        announced.mark_unchanged();
        // On a timer: notifications do not concern schedules.
        if schedules.tick().now_or_never().is_some() {
            enqueue_schedules(&inner).await;
        }
        match once(&inner, &worker, &mut running).await {
            Ok(0) => {
                tokio::select! {
                    _ = announced.changed() => {}
                    _ = phase.changed() => {}
                    // Jobs often end together: one poll follows all of them.
                    () = running.next_finished() => {
                        sleep(DEBOUNCE).await;
                        running.reap();
                    }
                    () = sleep(POLL_INTERVAL) => {}
                }
            }
            // There may be more, of other organisations or later in a sequence.
            Ok(_) => {}
            Err(failure) => {
                tracing::warn!(?failure, "background work was interrupted");
                sleep(RETRY_DELAY).await;
            }
        }
    }
    while !running.is_empty() {
        running.next_finished().await;
    }
    inner.phase.send_replace(Phase::Stopped);
    // The caller treats the end of a background task as an error.
    std::future::pending().await
}

/// Enqueues the jobs of the schedules that are due.
async fn enqueue_schedules(inner: &Inner) {
    for schedule in &inner.work.schedules {
        if let Err(failure) = schedule.tick(&inner.door).await {
            tracing::warn!(
                ?failure,
                schedule = schedule.kind,
                "the jobs of a schedule could not be enqueued"
            );
        }
    }
}

/// Dispatches all events and starts due jobs; returns how many it started. An error of the dispatcher
/// does not keep jobs from starting.
async fn once(inner: &Inner, worker: &Worker, running: &mut Running) -> Result<usize, Failure> {
    loop {
        match dispatch(&inner.door, &inner.work.subscribers, IfLocked::Skip).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(failure) => {
                tracing::warn!(?failure, "events could not be dispatched");
                break;
            }
        }
    }
    worker.start_due(running, None).await
}
