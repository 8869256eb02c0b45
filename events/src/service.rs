use std::{sync::Arc, time::Duration};

use diesel::{dsl::sql, sql_types as st};
use tenancy::{Failure, Permission, Scope, SystemDoor};
use tokio::{sync::watch, task::JoinSet, time::sleep};
use uuid::Uuid;

use crate::{
    Handlers, Listener, Renew, Schedule, Subscriber, Topic,
    dispatch::dispatch,
    live::{Hub, Reader},
    mail::{self, Mailer},
    purge,
    queue::{Running, Worker},
    webhook,
};

/// How long a gateway waits before it looks by itself: for jobs whose time has come, and in case an
/// announcement was lost.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Announcements of this time are one: many writes a second do not mean as many notifications.
const GATHER: Duration = Duration::from_millis(5);
/// How long a loop waits after PostgreSQL has failed it.
const RECOVER: Duration = Duration::from_secs(1);

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
    pub fn own(mailer: Mailer) -> Result<Self, Failure> {
        let sender = Arc::new(webhook::Sender::new(webhook::Reach::allowed())?);
        let handlers = Handlers::default()
            .with(mail::SEND, move |job| mail::deliver(mailer.clone(), job))
            .with(webhook::DELIVER, move |job| webhook::deliver(Arc::clone(&sender), job))
            .with(purge::DAILY.kind, purge::purge);
        Ok(Self { handlers, subscribers: vec![], schedules: vec![purge::DAILY] })
    }
}

/// The events of one gateway: what listeners listen to, and all that runs beside requests.
#[derive(Clone)]
pub struct Events(Arc<Inner>);

struct Inner {
    door: SystemDoor,
    hub: Arc<Hub>,
    renew: Renew,
    work: Work,
}

impl Events {
    /// Nothing runs until [`Events::start`].
    pub fn new(door: SystemDoor, renew: Renew, work: Work) -> Self {
        Self(Arc::new(Inner { door, hub: Arc::default(), renew, work }))
    }

    /// Listens to a topic of the scope's organisation. What is committed once this has answered is
    /// heard.
    ///
    /// # Errors
    /// UNAUTHENTICATED or FORBIDDEN for one who does not hold the permission.
    pub fn listen(&self, scope: Scope, permission: Permission, topic: Topic) -> Result<Listener, Failure> {
        Listener::new(&self.0.hub, Arc::clone(&self.0.renew), scope, permission, topic)
    }

    /// Starts everything that runs beside requests; it ends when the answer is dropped.
    ///
    /// # Errors
    /// PostgreSQL does not answer.
    pub async fn start(&self) -> Result<JoinSet<()>, Failure> {
        let mut tasks = self.start_listening().await?;
        tasks.spawn(work(Arc::clone(&self.0)));
        Ok(tasks)
    }

    /// Starts the live fan-out alone: another gateway does the work.
    ///
    /// # Errors
    /// PostgreSQL does not answer.
    pub async fn start_listening(&self) -> Result<JoinSet<()>, Failure> {
        let announced = self.0.door.announced();
        let reader = Reader::new(self.0.door.clone(), Arc::clone(&self.0.hub)).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(announce(self.0.door.clone()));
        tasks.spawn(read(reader, announced));
        Ok(tasks)
    }

    /// Does everything that is due in one organisation, and what follows from it, until nothing is
    /// left that is due now.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn drain(&self, organisation_id: Uuid) -> Result<(), Failure> {
        let Inner { door, work, .. } = &*self.0;
        let worker = Worker::new(door.clone(), work.handlers.clone());
        let mut running = Running::default();
        loop {
            while dispatch(door, &work.subscribers).await? {}
            if worker.start_due(&mut running, Some(organisation_id)).await? == 0 && running.is_empty() {
                return Ok(());
            }
            running.one_ends().await;
        }
    }
}

/// Tells the gateways that a write of this one has published something or made a job.
async fn announce(door: SystemDoor) {
    loop {
        door.published().await;
        sleep(GATHER).await;
        let notify = diesel::select(sql::<st::Text>("pg_notify('tessera_events', '')::text"));
        if let Err(failure) = door.rows::<_, String, _>(notify).await {
            tracing::warn!(?failure, "gateways could not be told of events; they look by themselves");
        }
    }
}

/// Passes on to the listeners what is new, whenever something is announced.
async fn read(mut reader: Reader, mut announced: watch::Receiver<u64>) {
    loop {
        announced.mark_unchanged();
        if let Err(failure) = reader.look().await {
            tracing::warn!(?failure, "events could not be read");
            sleep(RECOVER).await;
            continue;
        }
        tokio::select! {
            _ = announced.changed() => {}
            () = sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Dispatches events and does jobs.
async fn work(inner: Arc<Inner>) {
    let worker = Worker::new(inner.door.clone(), inner.work.handlers.clone());
    let mut announced = inner.door.announced();
    let mut running = Running::default();
    loop {
        announced.mark_unchanged();
        match once(&inner, &worker, &mut running).await {
            Ok(0) => {
                tokio::select! {
                    _ = announced.changed() => {}
                    // Jobs end in droves: one look for what comes after all of them.
                    () = running.one_ends() => {
                        sleep(GATHER).await;
                        running.let_ended_go();
                    }
                    () = sleep(LOOK_AGAIN) => {}
                }
            }
            // There may be more, of another organisation or after these.
            Ok(_) => {}
            Err(failure) => {
                tracing::warn!(?failure, "background work was interrupted");
                sleep(RECOVER).await;
            }
        }
    }
}

/// Looks once for everything there may be to do; answers how many jobs it began.
async fn once(inner: &Inner, worker: &Worker, running: &mut Running) -> Result<usize, Failure> {
    for schedule in &inner.work.schedules {
        schedule.tick(&inner.door).await?;
    }
    while dispatch(&inner.door, &inner.work.subscribers).await? {}
    worker.start_due(running, None).await
}
