//! Requests that are given up halfway: polled step by step, and dropped after each step in turn.

use std::{
    future::poll_fn,
    pin::pin,
    task::Poll::{Pending, Ready},
    time::Duration,
};

use tenancy::{Failure, Permission::WriteContacts, Scope};

use super::{Door, eventually, insert, names, numbered, own_database};
use crate::harness::{connect, postgres, superuser};

/// More steps than any of these takes.
const MAX_STEPS: usize = 500;
/// Whoever waits this long waits for a lock.
const HANGS: Duration = Duration::from_millis(300);

/// Polls a future, whenever it wakes, so many times at most; then drops it.
async fn dropped_after<T>(steps: usize, future: impl Future<Output = T>) -> Option<T> {
    let (mut future, mut left) = (pin!(future), steps);
    poll_fn(move |context| match future.as_mut().poll(context) {
        Ready(value) => Ready(Some(value)),
        Pending if left <= 1 => Ready(None),
        Pending => {
            left -= 1;
            Pending
        }
    })
    .await
}

/// What is still going on in a test's own database, apart from superusers.
async fn unsettled(database: &str) -> Vec<String> {
    let sql = "SELECT format('%s %s %s', pid, state, query) FROM pg_stat_activity
               WHERE datname = current_database() AND usename <> current_user AND state <> 'idle'
               UNION ALL
               SELECT format('%s holds or awaits %s', pid, mode) FROM pg_locks JOIN pg_stat_activity USING (pid)
               WHERE datname = current_database() AND usename <> current_user";
    let rows = superuser(database).await.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn settles(database: &str) {
    eventually("every transaction is over and every lock is gone", async || {
        unsettled(database).await.is_empty()
    })
    .await;
}

async fn write_two(scope: &Scope, name: &str) -> Result<(), Failure> {
    let names = ["one", "two"].map(|which| format!("{name} {which}"));
    scope
        .write(WriteContacts, |tx| async move {
            for name in names {
                insert(&tx, &name).await?;
            }
            Ok(())
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_given_up_at_any_step_leaves_nothing_behind() {
    let (addresses, clients) = own_database("cancelled_reads", ["Ada", "Ben"]).await;
    let door = Door::open(&addresses, 1).await;
    let [ada, ben] = clients.each_ref().map(|client| door.scope(client));
    // Whoever comes next either waits for the end of what was given up, or does not.
    for (known, waits) in [(false, true), (true, true), (true, false)] {
        let mut finished = false;
        for steps in 1..MAX_STEPS {
            let read = async { if known { names(&ada).await } else { numbered(&ada, steps).await } };
            if known {
                names(&ada).await.unwrap();
            }
            finished = dropped_after(steps, read).await.map(Result::unwrap).is_some();
            if waits {
                settles(addresses.database()).await;
            }
            // The only connection would be the one with the open transaction.
            assert_eq!(names(&ben).await.unwrap(), ["Ben"], "after {steps} steps");
            if finished {
                break;
            }
        }
        assert!(finished, "it never came to an end");
        settles(addresses.database()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_given_up_at_any_step_is_done_in_full_or_not_at_all() {
    let (addresses, clients) = own_database("cancelled_writes", ["Ada", "Ben"]).await;
    let door = Door::open(&addresses, 1).await;
    let [ada, ben] = clients.each_ref().map(|client| door.scope(client));
    let (mut finished, mut undone) = (false, 0);
    for steps in 1..MAX_STEPS {
        let name = format!("step {steps}");
        finished = dropped_after(steps, write_two(&ada, &name)).await.map(Result::unwrap).is_some();
        settles(addresses.database()).await;
        assert_eq!(names(&ben).await.unwrap(), ["Ben"], "after {steps} steps");
        let written =
            names(&ada).await.unwrap().iter().filter(|found| found.starts_with(&format!("{name} "))).count();
        assert!(written == 2 || (written == 0 && !finished), "{written} rows after {steps} steps");
        undone += usize::from(written == 0);
        if finished {
            break;
        }
    }
    assert!(finished, "it never came to an end");
    assert!(undone >= 2, "only {undone} steps were interrupted");
}

/// The statement itself hangs, so PostgreSQL has to notice that nobody waits for it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_while_it_waits_for_a_lock_stops_waiting() {
    let (addresses, clients) = own_database("cancelled_waits", ["Ada", "Ben"]).await;
    let door = Door::open(&addresses, 3).await;
    let [ada, ben] = clients.each_ref().map(|client| door.scope(client));
    let locker = connect(&postgres().cluster.admin_url(addresses.database())).await;
    for (lock, reads) in [("ACCESS EXCLUSIVE", true), ("SHARE", false)] {
        locker.batch_execute(&format!("BEGIN; LOCK TABLE contacts IN {lock} MODE")).await.unwrap();
        let mut hung = false;
        for steps in 1..MAX_STEPS {
            let ada = ada.clone();
            let given_up = async move {
                if reads {
                    dropped_after(steps, names(&ada)).await.map(drop)
                } else {
                    dropped_after(steps, write_two(&ada, "never")).await.map(drop)
                }
            };
            hung = tokio::time::timeout(HANGS, given_up).await.is_err();
            if hung {
                break;
            }
        }
        assert!(hung, "it never came to the lock");
        // The lock is still held: what waited for it has gone by itself.
        settles(addresses.database()).await;
        locker.batch_execute("COMMIT").await.unwrap();
        assert_eq!(names(&ada).await.unwrap(), ["Ada"]);
        assert_eq!(names(&ben).await.unwrap(), ["Ben"]);
    }
}

/// As a front end does it: the connection of the request is closed while the answer is awaited.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_hangs_up_takes_its_statement_with_it() {
    let (addresses, [ada, _]) = own_database("cancelled_requests", ["Ada", "Ben"]).await;
    let locker = connect(&postgres().cluster.admin_url(addresses.database())).await;
    locker.batch_execute("BEGIN; LOCK TABLE contacts IN SHARE MODE").await.unwrap();
    let input = serde_json::json!({ "kind": "COMPANY", "name": "never" });
    let request = tokio::spawn({
        let ada = ada.clone();
        async move { ada.create_contact(input).await }
    });
    eventually("the request waits for the lock", async || {
        unsettled(addresses.database()).await.iter().any(|line| line.contains("INSERT INTO \"contacts\""))
    })
    .await;
    request.abort();
    settles(addresses.database()).await;
    locker.batch_execute("COMMIT").await.unwrap();
    let answer = ada.run("{ contacts { nodes { name } } }", serde_json::json!({})).await;
    assert_eq!(*answer.ok("/data/contacts/nodes"), serde_json::json!([{ "name": "Ada" }]));
}
