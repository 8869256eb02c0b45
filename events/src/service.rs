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

/// How long a gateway waits before it looks by itself: for jobs whose time has come, and in case an
/// announcement was lost.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Announcements of this time are one: many writes a second do not mean as many notifications.
const DEBOUNCE: Duration = Duration::from_millis(5);
/// How long a loop waits after PostgreSQL has failed it.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What a gateway does in the background, and for whom.
#[derive(Clone, Default)]
pub struct Work {
    /// Who does which kind of job.
    pub handlers: Handlers,
    /// Who is told of which events.
    pub subscribers: Vec<Subscriber>,
    /// What recurs.
    pub schedules: Vec<Schedule>,
}

impl Work {
    /// What this crate does itself: mail, webhooks, sweeping.
    ///
    /// # Errors
    /// The HTTP client for webhooks cannot be made, which is a fault of the build.
    pub fn built_in(mailer: Mailer) -> Result<Self, Failure> {
        let sender = Arc::new(webhook::Sender::new(webhook::Reach::allowed())?);
        let handlers = Handlers::default()
            .with(mail::SEND, move |job| mail::deliver(mailer.clone(), job))
            .with(webhook::DELIVER, move |job| webhook::deliver(Arc::clone(&sender), job))
            .slow(webhook::DELIVER)
            .with(purge::DAILY.kind, purge::purge);
        Ok(Self { handlers, subscribers: vec![], schedules: vec![purge::DAILY] })
    }
}

/// The events of one gateway: what listeners listen to, and all that runs beside requests.
#[derive(Clone)]
pub struct Events {
    inner: Arc<Inner>,
    lease: Duration,
}

/// How far the background work is with its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It takes what there is.
    Running,
    /// It takes nothing more.
    Stopping,
    /// Nothing is being worked at.
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
    /// Nothing runs until [`Events::start`].
    pub fn new(door: SystemDoor, renew: Renew, work: Work) -> Self {
        let hub = Arc::<Hub>::default();
        let reader = Reader::new(door.clone(), Arc::clone(&hub));
        let phase = watch::Sender::new(Phase::Running);
        Self { inner: Arc::new(Inner { phase, door, hub, reader, renew, work }), lease: LEASE }
    }

    /// With jobs that go to another gateway when the one that works at them has not ended them after
    /// this time. It must be the same for all gateways, or longer than a handler takes in any.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Listens to a topic of the scope's organisation: to everything that is committed once this has
    /// answered.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN for one who does not hold the permission; PostgreSQL does not
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

    /// Starts everything that runs beside requests; it ends when the answer is dropped.
    pub fn start(&self) -> JoinSet<()> {
        let mut tasks = self.start_listening();
        tasks.spawn(work(Arc::clone(&self.inner), self.worker()));
        tasks
    }

    /// Starts the live fan-out alone: another gateway does the work.
    pub fn start_listening(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        tasks.spawn(announce(self.inner.door.clone()));
        tasks.spawn(read(Arc::clone(&self.inner)));
        tasks
    }

    /// Takes up no more jobs. Others take them up at once, while those that have begun here go on.
    pub fn stop_claiming(&self) {
        self.inner.phase.send_replace(Phase::Stopping);
    }

    /// Waits until the last job has ended, after [`Events::stop_claiming`] of a gateway that works.
    pub async fn jobs_finished(&self) {
        // Refused only once nobody can send, and we hold the sender.
        let _ = self.inner.phase.subscribe().wait_for(|phase| *phase == Phase::Stopped).await;
    }

    /// Does everything that is due in one organisation, and what follows from it, until nothing is
    /// left that is due now.
    ///
    /// # Errors
    /// What the database refuses.
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

/// Tells the gateways that a write of this one has published something or made a job.
async fn announce(door: SystemDoor) {
    loop {
        door.published().await;
        sleep(DEBOUNCE).await;
        let notify = diesel::select(sql::<st::Text>("pg_notify('tessera_events', '')::text"));
        if let Err(failure) = door.rows::<_, String, _>(notify).await {
            tracing::warn!(?failure, "gateways could not be told of events; they look by themselves");
        }
    }
}

/// Passes on to the listeners what is new, whenever something is announced.
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

/// Dispatches events and does jobs.
async fn work(inner: Arc<Inner>, worker: Worker) {
    let mut announced = inner.door.announced();
    let mut phase = inner.phase.subscribe();
    let mut running = Running::default();
    let mut schedules = interval(POLL_INTERVAL);
    schedules.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while *phase.borrow_and_update() == Phase::Running {
        announced.mark_unchanged();
        // By time alone: what is announced says nothing of dates.
        if schedules.tick().now_or_never().is_some() {
            enqueue_schedules(&inner).await;
        }
        match once(&inner, &worker, &mut running).await {
            Ok(0) => {
                tokio::select! {
                    _ = announced.changed() => {}
                    _ = phase.changed() => {}
                    // Jobs end in droves: one look for what comes after all of them.
                    () = running.next_finished() => {
                        sleep(DEBOUNCE).await;
                        running.reap();
                    }
                    () = sleep(POLL_INTERVAL) => {}
                }
            }
            // There may be more, of another organisation or after these.
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
    // Its end would say that something is wrong.
    std::future::pending().await
}

/// Enqueues the jobs of the schedules that are due.
async fn enqueue_schedules(inner: &Inner) {
    for schedule in &inner.work.schedules {
        if let Err(failure) = schedule.tick(&inner.door).await {
            tracing::warn!(?failure, schedule = schedule.kind, "a schedule could not be looked at");
        }
    }
}

/// Looks once for everything there may be to do; answers how many jobs it began. What fails at one
/// step holds up no other.
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
