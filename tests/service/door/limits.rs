//! What PostgreSQL cannot give in time, or at all.

use std::time::Duration;

use gateway::Service;
use serde_json::{Value, json};
use tenancy::{Addresses, Clock, Limits};
use tokio::net::TcpListener;

use super::{eventually, own_database, proxy::Proxy};
use crate::harness::{
    Answer, Client, TOKEN_KEY, mail_settings, organisation, server, settings, superuser, uuid,
};

/// A server with bounds of its own.
pub(super) async fn start(addresses: &Addresses, limits: &Limits) -> Client {
    let keys = domain_identity::TokenKeys::parse(TOKEN_KEY).unwrap();
    let service =
        Service::open(addresses, limits, keys, Clock::system(), &mail_settings(), settings()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(service.without_work().serve(listener, std::future::pending()));
    Client::of(&url)
}

/// The same log-in at another server.
pub(super) fn at(server: &Client, client: &Client) -> Client {
    let mut client = client.clone();
    client.url.clone_from(&server.url);
    client
}

async fn rename(client: &Client, id: &Value, revision: u32) -> Answer {
    let query = "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { \
                 contact { revision } userErrors { code message field } } }";
    client.run(query, json!({ "input": { "id": id, "expectedRevision": revision, "name": "Eve" } })).await
}

async fn read(client: &Client) -> Answer {
    client.run("{ contacts { nodes { name } } }", json!({})).await
}

/// Takes the row of a contact; it is free again when the connection is dropped.
async fn locked(addresses: &Addresses, contact: &Value) -> tokio_postgres::Client {
    let connection = superuser(addresses.database()).await;
    let id = uuid(contact["id"].as_str().unwrap());
    connection
        .batch_execute(&format!("BEGIN; SELECT FROM contacts WHERE id = '{id}' FOR UPDATE"))
        .await
        .unwrap();
    connection
}

#[tokio::test]
async fn a_statement_that_takes_too_long_answers_timeout() {
    let limits =
        Limits { connections: 2, statement_timeout: Duration::from_millis(200), ..Limits::default() };
    let client = at(&start(&server().addresses, &limits).await, &organisation().await);
    let contact = client.create_contact(json!({ "kind": "COMPANY", "name": "Ada" })).await;
    let lock = locked(&server().addresses, &contact).await;
    let answer = rename(&client, &contact["id"], 1).await;
    assert_eq!((answer.errors(), answer.status), (vec!["TIMEOUT".to_owned()], 200));
    drop(lock);
    assert_eq!(rename(&client, &contact["id"], 1).await.ok("/data/updateContact")["contact"]["revision"], 2);
}

#[tokio::test]
async fn a_request_without_a_connection_answers_unavailable_and_the_next_one_works() {
    let client = at(
        &start(&server().addresses, &Limits { connections: 1, ..Limits::default() }).await,
        &organisation().await,
    );
    let contact = client.create_contact(json!({ "kind": "COMPANY", "name": "Ada" })).await;
    let lock = locked(&server().addresses, &contact).await;
    let (answers, waiting) = tokio::join!(rename(&client, &contact["id"], 1), async {
        // Whoever comes first has the connection; the other one waits for it in vain.
        let answer = read(&client).await;
        drop(lock);
        answer
    });
    let failed: Vec<_> = [answers.errors(), waiting.errors()].concat();
    assert_eq!(failed, ["UNAVAILABLE"], "{answers:?} {waiting:?}");
    assert_eq!(read(&client).await.errors(), [""; 0]);
}

/// Ends every connection of the service to a test's own database.
async fn terminate(addresses: &Addresses) {
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
               WHERE datname = current_database() AND usename <> current_user";
    let ended: i64 = superuser(addresses.database()).await.query_one(sql, &[]).await.unwrap().get(0);
    assert!(ended > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_ends_fails_its_own_request_alone() {
    let (addresses, [ada, _]) = own_database("terminated_busy", ["Ada", "Ben"]).await;
    let contact = ada.create_contact(json!({ "kind": "COMPANY", "name": "Carl" })).await;
    let lock = locked(&addresses, &contact).await;
    let request = tokio::spawn({
        let (ada, contact) = (ada.clone(), contact.clone());
        async move { rename(&ada, &contact["id"], 1).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually("the request waits for the lock", async || {
        lock.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
    terminate(&addresses).await;
    assert_eq!(request.await.unwrap().errors(), ["UNAVAILABLE"]);
    drop(lock);
    for _ in 0..20 {
        assert_eq!(read(&ada).await.errors(), [""; 0]);
    }
    assert_eq!(rename(&ada, &contact["id"], 1).await.ok("/data/updateContact")["contact"]["revision"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_unused_fail_no_request() {
    let (addresses, [ada, ben]) = own_database("terminated_idle", ["Ada", "Ben"]).await;
    // Opens several connections.
    futures_util::future::join_all((0..8).map(|_| read(&ada))).await;
    terminate(&addresses).await;
    let left = "SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND usename <> current_user AND application_name = 'tessera'";
    let superuser = superuser(addresses.database()).await;
    eventually("the connections are over", async || {
        superuser.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0
    })
    .await;
    let mut failed = vec![];
    for client in [&ada, &ben].repeat(8) {
        failed.extend(read(client).await.errors());
    }
    assert_eq!(failed, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_postgres_everything_answers_unavailable_until_it_is_back() {
    let (addresses, [ada, _]) = own_database("cut", ["Ada", "Ben"]).await;
    let proxy = Proxy::before(&addresses).await;
    let server = start(&proxy.addresses, &Limits { connections: 4, ..Limits::default() }).await;
    let client = at(&server, &ada);
    assert_eq!(read(&client).await.errors(), [""; 0]);
    let ready = async || {
        crate::harness::http().get(format!("{}/readyz", server.url)).send().await.unwrap().status().as_u16()
    };
    assert_eq!(ready().await, 200);

    proxy.cut();
    eventually("the gateway says that it is not ready", async || ready().await == 503).await;
    for _ in 0..3 {
        assert_eq!(read(&client).await.errors(), ["UNAVAILABLE"]);
    }
    let log_in = json!({ "query": "mutation { logIn(input: { email: \"a@b.example\", password: \"x\" }) { logIn { accessToken } } }" });
    assert_eq!(server.send(&log_in.to_string()).await.errors(), ["UNAVAILABLE"]);

    proxy.mend();
    eventually("the gateway is ready again", async || ready().await == 200).await;
    assert_eq!(read(&client).await.errors(), [""; 0]);
}

#[tokio::test]
async fn an_organisation_that_takes_its_share_leaves_connections_to_others() {
    let (greedy, other) = tokio::join!(organisation(), organisation());
    let service = start(&server().addresses, &Limits { connections: 4, ..Limits::default() }).await;
    let (greedy, other) = (at(&service, &greedy), at(&service, &other));
    let contact = greedy.create_contact(json!({ "kind": "COMPANY", "name": "Ada" })).await;
    let lock = locked(&server().addresses, &contact).await;
    // More than there are connections, and all of them wait for the row.
    let stuck = futures_util::future::join_all((0..6).map(|_| rename(&greedy, &contact["id"], 1)));
    let unhindered = async {
        let behind = superuser(server().addresses.database()).await;
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%contacts%'
                       AND application_name = 'tessera' AND datname = current_database()";
        eventually("the share is taken", async || {
            behind.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) >= 2
        })
        .await;
        let answer = read(&other).await;
        drop(lock);
        answer
    };
    let (stuck, unhindered) = tokio::join!(stuck, unhindered);
    unhindered.ok("/data/contacts");
    let done = stuck.iter().filter(|answer| answer.at("/data/updateContact")["userErrors"] == json!([]));
    assert_eq!(done.count(), 1, "{stuck:?}");
}
