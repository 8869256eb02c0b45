//! The queue: each committed job is done, even if workers die.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use diesel::prelude::*;
use events::{ClaimedJob, Handlers, Job, JobError, Schedule, Subscriber, Work, enqueue};
use serde_json::{Value, json};
use tenancy::{Clock, Event, Failure, ManualClock, Permission::WriteContacts, RequestId, Scope};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::Own;
use crate::{
    door::eventually,
    harness::{Client, organisation, server, start, superuser},
};

diesel::table! {
    contacts (id) {
        id -> Uuid,
        kind -> Text,
        name -> Text,
    }
}

/// What the handlers have received, in order.
type Seen = Arc<Mutex<Vec<Value>>>;

/// A handler that records its payload and returns the result that the test chooses.
fn writing(
    seen: &Seen,
    answer: impl Fn(&Value) -> Result<(), JobError> + Send + Sync + 'static,
) -> impl Fn(ClaimedJob) -> std::future::Ready<Result<(), JobError>> + Send + Sync + 'static {
    let seen = Arc::clone(seen);
    move |job| {
        seen.lock().unwrap().push(job.payload.clone());
        std::future::ready(answer(&job.payload))
    }
}

fn job(kind: &'static str, payload: Value) -> Job {
    Job { kind, payload, summary: "a job of a test".to_owned() }
}

fn scope(own: &Own, client: &Client) -> Scope {
    own.door.job_scope(client.organisation_id(), RequestId::new())
}

async fn enqueued(own: &Own, client: &Client, jobs: Vec<Job>) {
    let scope = scope(own, client);
    let write = scope.write(WriteContacts, |tx| async move {
        for job in jobs {
            enqueue(&tx, job).await?;
        }
        Ok(())
    });
    write.await.unwrap();
}

/// Events with handlers on the shared database; only the organisation of this test has such jobs.
async fn alone(handlers: Handlers) -> (Own, Client, ManualClock) {
    let (client, clock) = (organisation().await, ManualClock::default());
    let work = Work { handlers, ..Work::default() };
    (Own::open(&server().addresses, clock.clock(), work).await, client, clock)
}

/// The number of rows of the organisation that match; its sign-up has enqueued a mail.
async fn count(client: &Client, rows: &str) -> i64 {
    let of = if rows.contains(" WHERE ") { "AND" } else { "WHERE" };
    let organisation_id = client.organisation_id();
    let sql =
        format!("SELECT count(*) FROM {rows} {of} kind <> 'mail' AND organisation_id = '{organisation_id}'");
    superuser(server().addresses.database()).await.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_job_is_done_when_its_cause_is_committed_and_never_if_that_is_rolled_back() {
    let seen = Seen::default();
    let (own, client, _) = alone(Handlers::default().with("note", writing(&seen, |_| Ok(())))).await;
    let scope = scope(&own, &client);
    let refused = scope.write(WriteContacts, |tx| async move {
        enqueue(&tx, job("note", json!("never"))).await?;
        Err::<(), _>(Failure::not_found("id"))
    });
    refused.await.unwrap_err();
    enqueued(&own, &client, vec![job("note", json!(1)), job("note", json!(2))]).await;
    own.events.drain(client.organisation_id()).await.unwrap();
    own.events.drain(client.organisation_id()).await.unwrap();
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_by_key(Value::as_i64);
    assert_eq!(seen, [json!(1), json!(2)]);
    assert_eq!(count(&client, "jobs").await, 0);
}

#[tokio::test]
async fn what_fails_is_tried_again_later_and_later_and_in_the_end_is_a_dead_letter() {
    let seen = Seen::default();
    let fail = writing(&seen, |_| Err(JobError::transient("The other side is away.")));
    let (own, client, clock) = alone(Handlers::default().with("call", fail)).await;
    let organisation_id = client.organisation_id();
    enqueued(&own, &client, vec![job("call", json!({}))]).await;
    for attempts in 1..=12 {
        own.events.drain(organisation_id).await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), attempts, "not before its time");
        clock.advance(TimeDelta::hours(6));
    }
    own.events.drain(organisation_id).await.unwrap();
    assert_eq!(count(&client, "jobs").await, 0);
    assert_eq!(seen.lock().unwrap().len(), 12);
    let query = "{ deadLetters { nodes { kind summary attempts lastError } } }";
    let expected = json!([{ "kind": "call", "summary": "a job of a test", "attempts": 12,
                            "lastError": "The other side is away." }]);
    assert_eq!(client.run(query, json!({})).await.ok("/data/deadLetters")["nodes"], expected);
}

#[tokio::test]
async fn what_cannot_succeed_is_given_up_at_once_and_a_panic_is_a_failure_like_others() {
    let (seen, panicked) = (Seen::default(), Seen::default());
    let handlers = Handlers::default()
        .with("refused", writing(&seen, |_| Err(JobError::permanent("There is no such address."))))
        .with("panics", writing(&panicked, |_| panic!("as the test wants it")));
    let (own, client, _) = alone(handlers).await;
    // A newer gateway may have a handler: the job waits, and no attempt is counted.
    let unknown = job("nobody does this", json!({}));
    enqueued(&own, &client, vec![job("refused", json!({})), job("panics", json!({})), unknown]).await;
    own.events.drain(client.organisation_id()).await.unwrap();
    assert_eq!((seen.lock().unwrap().len(), panicked.lock().unwrap().len()), (1, 1));
    assert_eq!((count(&client, "dead_letters").await, count(&client, "jobs").await), (1, 2));
    assert_eq!(count(&client, "jobs WHERE attempts = 0 AND kind = 'nobody does this'").await, 1);
}

/// A separate database, where workers may claim all jobs.
async fn own_database(name: &str) -> (tenancy::Addresses, Client) {
    let addresses = crate::harness::postgres().migrated_database(name).await;
    let client = Client::of(&start(&addresses, &ManualClock::default()).await).signed_up().await;
    (addresses, client)
}

const FOLLOWED: Subscriber = Subscriber { kind: "followed", of: "thing.*" };

/// Adds a contact with this name and finishes the job in the same write.
async fn followed(job: ClaimedJob) -> Result<(), JobError> {
    let details = job.payload["details"].clone();
    let name = format!("{} {}", details["thing"], details["step"]);
    let written = job.scope.write(WriteContacts, |tx| {
        let job = &job;
        async move {
            let id = Uuid::now_v7();
            let row = (contacts::id.eq(id), contacts::kind.eq("COMPANY"), contacts::name.eq(name));
            tx.execute(diesel::insert_into(contacts::table).values(row)).await?;
            // A chance to be killed between the two.
            tokio::task::yield_now().await;
            job.finish(&tx).await
        }
    });
    Ok(written.await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_die_at_any_moment_lose_nothing_and_double_nothing() {
    const THINGS: usize = 15;
    const STEPS: usize = 8;
    let (addresses, client) = own_database("dying").await;
    let clock = ManualClock::default();
    let work = Work {
        handlers: Handlers::default().with(FOLLOWED.kind, followed),
        subscribers: vec![FOLLOWED],
        schedules: vec![],
    };
    let own = Own::open(&addresses, clock.clock(), work).await;
    let things: Vec<Uuid> = (0..THINGS).map(|_| Uuid::now_v7()).collect();
    let scope = scope(&own, &client);
    let made = async {
        for step in 0..STEPS {
            for (thing, id) in things.iter().enumerate() {
                let write = scope.write(WriteContacts, |tx| async move {
                    tx.publish(Event::new("thing", "moved", *id, json!({ "thing": thing, "step": step })));
                    Ok(())
                });
                write.await.unwrap();
            }
        }
    };
    let behind = superuser(addresses.database()).await;
    let done = async || {
        let count = "SELECT count(*) FROM contacts";
        usize::try_from(behind.query_one(count, &[]).await.unwrap().get::<_, i64>(0)).unwrap()
    };
    let killed = async {
        let mut deaths = 0;
        while done().await < THINGS * STEPS {
            let alive = own.events.start();
            // At a random moment, but so early that several die even on a fast machine: after a few
            // more jobs, perhaps none, and a short wait.
            let few = usize::try_from(rand_below(6)).unwrap();
            let until = (done().await + few).min(THINGS * STEPS);
            let enough = async {
                while done().await < until {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(60), enough).await.expect("a few more jobs are done");
            tokio::time::sleep(Duration::from_micros(rand_below(10_000))).await;
            drop(alive);
            deaths += 1;
            assert!(deaths < 200, "{} of {} after {deaths} deaths", done().await, THINGS * STEPS);
            // Its claimed jobs are free again.
            clock.advance(TimeDelta::minutes(2));
        }
        deaths
    };
    let (_, deaths) = tokio::join!(made, killed);
    assert!(deaths > 3, "only {deaths} workers died");
    let rows = behind.query("SELECT name FROM contacts ORDER BY created_at, id", &[]).await.unwrap();
    let mut of_things = vec![vec![]; THINGS];
    for row in rows {
        let name: &str = row.get(0);
        let (thing, step) = name.split_once(' ').unwrap();
        of_things[thing.parse::<usize>().unwrap()].push(step.parse::<usize>().unwrap());
    }
    let in_order: Vec<usize> = (0..STEPS).collect();
    assert_eq!(of_things, vec![in_order; THINGS]);
    assert_eq!(behind.query_one("SELECT count(*) FROM dead_letters", &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// A random number below this.
fn rand_below(most: u64) -> u64 {
    u64::from_le_bytes(Uuid::new_v4().as_bytes()[..8].try_into().unwrap()) % most
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_takes_long_holds_up_neither_another_organisation_nor_another_thing() {
    let (addresses, client) = own_database("slow").await;
    let other = Client::of(&client.url).signed_up().await;
    let crowd = [Client::of(&client.url).signed_up().await, Client::of(&client.url).signed_up().await];
    let gate = Arc::new(Semaphore::new(0));
    let (seen, held) = (Seen::default(), Arc::clone(&gate));
    let (wrote, slow) = (Arc::clone(&seen), move |_| {
        let held = Arc::clone(&held);
        async move {
            held.acquire().await.unwrap().forget();
            Ok(())
        }
    });
    let handlers =
        Handlers::default().with("slow", slow).slow("slow").with("quick", writing(&wrote, |_| Ok(())));
    let own = Own::open(&addresses, Clock::system(), Work { handlers, ..Work::default() }).await;
    for slow in [&client, &crowd[0], &crowd[1]] {
        enqueued(&own, slow, (0..100).map(|_| job("slow", json!({}))).collect()).await;
    }
    let _alive = own.events.start();
    enqueued(&own, &other, vec![job("quick", json!({}))]).await;
    eventually("the other's job is done", async || seen.lock().unwrap().len() == 1).await;
    gate.add_permits(300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheduled_job_runs_once_for_each_organisation_and_date_although_there_are_several_gateways() {
    const DAILY: Schedule = Schedule {
        kind: "daily",
        every: TimeDelta::days(1),
        within: TimeDelta::zero(),
        summary: "what recurs",
    };
    let (addresses, client) = own_database("schedules").await;
    Client::of(&client.url).signed_up().await;
    let (seen, clock) = (Seen::default(), ManualClock::default());
    let write_down = {
        let seen = Arc::clone(&seen);
        move |job: ClaimedJob| {
            let organisation_id = job.scope.session().organisation_id().unwrap();
            seen.lock().unwrap().push(json!(organisation_id));
            std::future::ready(Ok(()))
        }
    };
    let handlers = Handlers::default().with(DAILY.kind, write_down);
    let work = Work { handlers, schedules: vec![DAILY], ..Work::default() };
    let mut gateways = vec![];
    for _ in 0..3 {
        let own = Own::open(&addresses, clock.clock(), work.clone()).await;
        let alive = own.events.start();
        gateways.push((own, alive));
    }
    let behind = superuser(addresses.database()).await;
    let known = async || !behind.query("SELECT 1 FROM schedules", &[]).await.unwrap().is_empty();
    eventually("the schedule has begun", known).await;
    for days in 1..=3 {
        clock.advance(TimeDelta::days(1));
        eventually("both have had their job", async || seen.lock().unwrap().len() >= 2 * days).await;
        let idle =
            async || behind.query("SELECT 1 FROM jobs WHERE kind <> 'mail'", &[]).await.unwrap().is_empty();
        eventually("nothing is left", idle).await;
    }
    let seen = seen.lock().unwrap().clone();
    let of = |organisation: &Value| seen.iter().filter(|seen| *seen == organisation).count();
    assert_eq!((seen.len(), of(&seen[0])), (6, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_ends_finishes_what_it_began_and_begins_nothing() {
    let (addresses, client) = own_database("ending").await;
    let (gate, seen) = (Arc::new(Semaphore::new(0)), Seen::default());
    let (held, begun) = (Arc::clone(&gate), Arc::clone(&seen));
    let slow = move |job: ClaimedJob| {
        begun.lock().unwrap().push(job.payload);
        let held = Arc::clone(&held);
        async move {
            held.acquire().await.unwrap().forget();
            Ok(())
        }
    };
    let work = Work { handlers: Handlers::default().with("slow", slow), ..Work::default() };
    let own = Own::open(&addresses, Clock::system(), work).await;
    let _alive = own.events.start();
    enqueued(&own, &client, vec![job("slow", json!("begun"))]).await;
    eventually("it has begun", async || seen.lock().unwrap().len() == 1).await;
    own.events.stop_claiming();
    gate.add_permits(1);
    own.events.jobs_finished().await;
    enqueued(&own, &client, vec![job("slow", json!("late"))]).await;
    // Other gateways can claim it.
    let taken = Seen::default();
    let handlers = Handlers::default().with("slow", writing(&taken, |_| Ok(())));
    let other = Own::open(&addresses, Clock::system(), Work { handlers, ..Work::default() }).await;
    let _alive_too = other.events.start();
    eventually("another has done it", async || taken.lock().unwrap().len() == 1).await;
    assert_eq!(*seen.lock().unwrap(), [json!("begun")]);
}
