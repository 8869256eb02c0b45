//! What PostgreSQL hears: how often a request waits for it, and that nothing overtakes anything.

use diesel::prelude::*;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tenancy::{Event, Failure, Key, Permission::WriteContacts, Recall, Refusal, Scope, Tx};
use uuid::Uuid;

use super::{Door, contacts, insert, names, numbered, proxy::Proxy};
use crate::harness::{Client, organisation, server};

/// A door of one connection, with an ear at it. The runtime of these tests has one thread, so that
/// what is queued leaves together.
async fn overheard() -> (Client, Proxy, Door, Scope) {
    let client = organisation().await;
    client.create_contact(json!({ "kind": "COMPANY", "name": "Ada" })).await;
    let proxy = Proxy::before(&server().addresses).await;
    let door = Door::open(&proxy.addresses, 1).await;
    let scope = door.scope(&client);
    // Opens the connection.
    let kinds: Vec<String> = scope.rows(contacts::table.select(contacts::kind)).await.unwrap();
    assert_eq!(kinds, ["COMPANY"]);
    (client, proxy, door, scope)
}

#[tokio::test]
async fn a_read_of_a_known_statement_is_one_flush_and_one_wait() {
    let (_client, proxy, _door, scope) = overheard().await;
    names(&scope).await.unwrap();
    proxy.forget();
    assert_eq!(names(&scope).await.unwrap(), ["Ada"]);
    let expected =
        ["> BEGIN Bind Execute Sync COMMIT", "< BEGIN SET SET SET Ready SELECT Ready COMMIT Ready"];
    assert_eq!(proxy.turns(), expected);
}

#[tokio::test]
async fn a_read_of_a_new_statement_commits_after_its_answer() {
    let (_client, proxy, _door, scope) = overheard().await;
    proxy.forget();
    assert_eq!(names(&scope).await.unwrap(), ["Ada"]);
    let expected = [
        "> BEGIN Parse Describe Sync",
        "< BEGIN SET SET SET Ready Ready",
        "> Bind Execute Sync",
        "< SELECT Ready",
        "> COMMIT",
        "< COMMIT Ready",
    ];
    assert_eq!(proxy.turns(), expected);
}

#[tokio::test]
async fn a_read_that_fails_ends_its_transaction_too() {
    let (_client, proxy, _door, scope) = overheard().await;
    let named = async |name: &str| {
        scope
            .rows::<_, String, _>(contacts::table.select(contacts::name).filter(contacts::name.eq(name)))
            .await
    };
    for _ in 0..2 {
        proxy.forget();
        // PostgreSQL takes no NUL.
        assert!(matches!(named("\0").await, Err(Failure::Refused(Refusal::BadRequest { .. }))));
        let last = proxy.turns().pop().unwrap();
        assert!(last.ends_with("ROLLBACK Ready"), "{last}");
        // The same connection, in order.
        assert_eq!(names(&scope).await.unwrap(), ["Ada"]);
        assert!(!proxy.turns().iter().any(|turn| turn.contains("> p")), "{:?}", proxy.turns());
    }
}

async fn rename(tx: &Tx, name: &str) -> Result<usize, Failure> {
    tx.execute(diesel::update(contacts::table).set(contacts::name.eq(name))).await
}

#[tokio::test]
async fn a_write_begins_with_its_first_statement_and_commits_after_the_last_answer() {
    let (_client, proxy, _door, scope) = overheard().await;
    let write = || scope.write(WriteContacts, |tx| async move { rename(&tx, "Eve").await });
    write().await.unwrap();
    proxy.forget();
    assert_eq!(write().await.unwrap(), 1);
    let expected = [
        "> BEGIN Bind Execute Sync",
        "< BEGIN SET SET SET SET Ready UPDATE Ready",
        "> COMMIT",
        "< COMMIT Ready",
    ];
    assert_eq!(proxy.turns(), expected);
}

#[tokio::test]
async fn what_a_write_publishes_is_one_statement_more_and_leaves_with_its_commit() {
    let (_client, proxy, _door, scope) = overheard().await;
    for count in [1, 3] {
        let write = || {
            scope.write(WriteContacts, |tx| async move {
                for _ in 0..count {
                    tx.publish(Event::new("thing", "moved", Uuid::now_v7(), json!({})));
                }
                rename(&tx, "Eve").await
            })
        };
        // The first prepares the statement, and its COMMIT waits.
        write().await.unwrap();
        assert!(proxy.turns().iter().any(|turn| turn.contains("Parse")));
        proxy.forget();
        write().await.unwrap();
        let expected = [
            "> BEGIN Bind Execute Sync",
            "< BEGIN SET SET SET SET Ready UPDATE Ready",
            "> Bind Execute Sync COMMIT",
            "< INSERT Ready COMMIT Ready",
        ];
        assert_eq!(proxy.turns(), expected, "{count} events");
        proxy.forget();
    }
}

#[tokio::test]
async fn a_write_that_fails_is_rolled_back_and_one_that_asks_nothing_says_nothing() {
    let (_client, proxy, _door, scope) = overheard().await;
    let write = || {
        scope.write(WriteContacts, |tx| async move {
            rename(&tx, "Eve").await?;
            Err::<(), _>(Failure::not_found("id"))
        })
    };
    write().await.unwrap_err();
    proxy.forget();
    write().await.unwrap_err();
    scope.write(WriteContacts, |_tx| async { Ok(()) }).await.unwrap();
    let questions: Vec<_> = proxy.turns().into_iter().filter(|turn| turn.starts_with('>')).collect();
    assert_eq!(questions, ["> BEGIN Bind Execute Sync", "> ROLLBACK"]);
    assert_eq!(names(&scope).await.unwrap(), ["Ada"]);
}

#[tokio::test]
async fn a_write_that_goes_on_after_a_failed_statement_has_not_succeeded() {
    let (_client, _proxy, _door, scope) = overheard().await;
    let outcome = scope.write(WriteContacts, |tx| async move {
        rename(&tx, "Eve").await?;
        let nul = rename(&tx, "\0").await;
        assert!(nul.is_err());
        Ok(())
    });
    assert!(matches!(outcome.await, Err(Failure::Internal(_))));
    assert_eq!(names(&scope).await.unwrap(), ["Ada"]);
}

struct Made(Vec<Uuid>);

impl Recall for Made {
    fn ids(&self) -> Vec<Uuid> {
        self.0.clone()
    }

    async fn recall(_: &Scope, _: &Tx, ids: Vec<Uuid>, _: Option<Value>) -> Result<Self, Failure> {
        Ok(Self(ids))
    }
}

#[tokio::test]
async fn a_keyed_write_costs_two_waits_more() {
    let (_client, proxy, _door, scope) = overheard().await;
    let write =
        |key: &str| {
            let key = Key::new("test", key.to_owned(), b"body").unwrap();
            scope.write_once(WriteContacts, Some(key), |tx| async move {
                Ok(Made(vec![insert(&tx, "Eve").await?]))
            })
        };
    let first = write("warm").await.unwrap();
    proxy.forget();
    let second = write("measured").await.unwrap();
    assert_ne!(first.0, second.0);
    let questions: Vec<_> = proxy.turns().into_iter().filter(|turn| turn.starts_with('>')).collect();
    let expected = ["> BEGIN Bind Execute Sync", "> Bind Execute Sync", "> Bind Execute Sync", "> COMMIT"];
    assert_eq!(questions, expected, "the key, the body, what it made, the end");
    assert_eq!(write("measured").await.unwrap().0, second.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_commit_overtakes_a_new_statement_however_many_there_are() {
    let clients = [organisation().await, organisation().await];
    let door = Door::open(&server().addresses, 3).await;
    for (client, name) in clients.iter().zip(["Ada", "Ben"]) {
        client.create_contact(json!({ "kind": "COMPANY", "name": name })).await;
    }
    let scopes = clients.each_ref().map(|client| door.scope(client));
    let reads = (0..120).map(|number| {
        let scope = scopes[number % 2].clone();
        tokio::spawn(async move { numbered(&scope, number / 2).await })
    });
    for (number, read) in join_all(reads).await.into_iter().enumerate() {
        let expected = ["Ada", "Ben"][number % 2];
        assert_eq!(
            read.unwrap().unwrap_or_else(|error| panic!("{number}: {error:?}")),
            [expected],
            "{number}"
        );
    }
}

/// Tokio lets a task go on for a while and then makes everything it asks for wait a turn.
#[tokio::test]
async fn no_commit_overtakes_a_new_statement_however_little_of_the_tasks_turn_is_left() {
    let (_client, _proxy, _door, scope) = overheard().await;
    for used in 100..132 {
        tokio::task::yield_now().await;
        for _ in 0..used {
            tokio::task::consume_budget().await;
        }
        let read = numbered(&scope, used).await;
        assert_eq!(read.unwrap_or_else(|error| panic!("{used}: {error:?}")), ["Ada"], "{used}");
    }
}

/// `diesel::sql_query` is prepared anew each time, and never enters the cache.
#[tokio::test]
async fn no_commit_overtakes_a_statement_that_is_never_remembered() {
    let (_client, _proxy, _door, scope) = overheard().await;
    let query = || contacts::table.select(diesel::dsl::sql::<diesel::sql_types::Text>("upper(name)"));
    for _ in 0..2 {
        assert_eq!(scope.rows::<_, String, _>(query()).await.unwrap(), ["ADA"]);
    }
}
