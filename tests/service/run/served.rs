//! The binary on a PostgreSQL that is not its own, as in production.

use std::{
    io,
    net::{Shutdown, TcpListener, TcpStream},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    thread,
};

use gateway::cluster::{Cluster, Settings};

use super::{
    contacts,
    process::{Gateway, assert_contains, command, complaint, said, serve_at},
};
use crate::{
    cluster::Temporary,
    harness::{TOKEN_KEY, connect},
};

/// A PostgreSQL that is not the gateway's own.
fn own_server(temporary: &Temporary) -> Cluster {
    Cluster::start(&Settings { folder: temporary.data_dir(), durable: false, wait: false }).unwrap()
}

/// A command on that PostgreSQL.
fn on(cluster: &Cluster, url: &str, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("DATABASE_URL", url).env("DATABASE_ADMIN_URL", cluster.admin_url("postgres"));
    command
}

#[tokio::test]
async fn a_server_of_ones_own_is_provisioned_migrated_filled_and_served() {
    let temporary = Temporary::new("own-server");
    let cluster = own_server(&temporary);
    let url = cluster.url("gate", "tess");
    for _ in 0..2 {
        said(&mut on(&cluster, &url, &["provision"]));
    }
    assert_contains(&said(&mut on(&cluster, &url, &["migrate"])), &["migrated "]);
    assert_eq!(said(&mut on(&cluster, &url, &["migrate"])), "");
    said(&mut on(&cluster, &url, &["demo"]));
    let gateway = Gateway::serve(&temporary, &url);
    let ada = gateway.ada().await;
    let demo = contacts(&ada).await;
    said(&mut on(&cluster, &url, &["demo"]));
    assert_eq!(contacts(&ada).await, demo);
    assert!(!demo.is_empty());
    gateway.stopped();
    // It is not the gateway's to stop.
    connect(&cluster.admin_url("tess")).await.simple_query("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn the_printed_sql_is_all_that_an_administrator_has_to_run() {
    let temporary = Temporary::new("print");
    let cluster = own_server(&temporary);
    let url = cluster.url("gate", "tess").replace(cluster.password(), "it%27s");
    let sql = said(command(&["provision", "--print"]).env("DATABASE_URL", &url));
    let (roles, database) = sql.rsplit_once("CREATE DATABASE").unwrap();
    let superuser = connect(&cluster.admin_url("postgres")).await;
    superuser.batch_execute(roles).await.unwrap();
    superuser.batch_execute(&format!("CREATE DATABASE{database}")).await.unwrap();
    said(&mut on(&cluster, &url, &["migrate"]));
    let gateway = Gateway::serve(&temporary, &url);
    assert_eq!(gateway.status("/readyz").await, 200);
    gateway.stopped();
}

/// Forwards to a port that changes, so that a server keeps its address over a restart.
fn forward(port: Arc<AtomicU16>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
    };
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port.load(Ordering::SeqCst))) else { continue };
            copy(client.try_clone().unwrap(), server.try_clone().unwrap());
            copy(server, client);
        }
    });
    own
}

#[tokio::test]
async fn readyz_follows_the_database_and_healthz_does_not() {
    let temporary = Temporary::new("ready");
    let cluster = own_server(&temporary);
    let port = Arc::new(AtomicU16::new(cluster.port()));
    let forwarder = forward(port.clone());
    let url =
        cluster.url("gate", "tess").replace(&format!(":{}/", cluster.port()), &format!(":{forwarder}/"));
    said(&mut on(&cluster, &url, &["provision"]));
    said(&mut on(&cluster, &url, &["migrate"]));
    let gateway = Gateway::serve(&temporary, &url);
    assert_eq!((gateway.status("/healthz").await, gateway.status("/readyz").await), (200, 200));
    cluster.stop().unwrap();
    assert_eq!((gateway.status("/healthz").await, gateway.status("/readyz").await), (200, 503));
    let cluster = own_server(&temporary);
    port.store(cluster.port(), Ordering::SeqCst);
    assert_eq!((gateway.status("/healthz").await, gateway.status("/readyz").await), (200, 200));
    gateway.stopped();
}

#[test]
fn what_is_missing_is_named() {
    let url = "postgres://gate:secret-word@127.0.0.1:1/tess";
    for arguments in [&["serve"][..], &["migrate"], &["demo"], &["provision"], &["provision", "--print"]] {
        assert_contains(&complaint(&mut command(arguments)), &["DATABASE_URL is not set"]);
    }
    let no_admin = complaint(command(&["provision"]).env("DATABASE_URL", url));
    assert_contains(&no_admin, &["DATABASE_ADMIN_URL is not set", "--print"]);
    let no_keys = complaint(serve_at(url).env_remove("TESSERA_TOKEN_KEYS"));
    assert_contains(&no_keys, &["TESSERA_TOKEN_KEYS is not set"]);
    let short = complaint(serve_at(url).env("TESSERA_TOKEN_KEYS", "a-short-key"));
    assert_contains(&short, &["TESSERA_TOKEN_KEYS", "32 bytes"]);
    assert!(!short.contains("a-short-key"), "{short}");
}

#[test]
fn a_wrong_address_is_refused_without_its_password() {
    let temporary = Temporary::new("wrong-url");
    let cluster = own_server(&temporary);
    let port = cluster.port();
    let urls = [
        ("secret-word", "DATABASE_URL"),
        ("postgres://gate:secret-word@127.0.0.1:port/tess", "DATABASE_URL"),
        ("mysql://gate:secret-word@127.0.0.1/tess", "DATABASE_URL"),
        ("postgres://gate:secret-word@127.0.0.1:1", "DATABASE_URL"),
        ("postgres://gate:secret-word@127.0.0.1:1/tess", "onnect"),
        (&format!("postgres://postgres:secret-word@127.0.0.1:{port}/tess"), "password authentication failed"),
        (&cluster.url("postgres", "nowhere").replace("127.0.0.1", "localhost"), ""),
    ];
    for (url, part) in urls {
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["demo"]] {
            let mut command = command(arguments);
            command.env("DATABASE_URL", url).env("TESSERA_TOKEN_KEYS", TOKEN_KEY);
            let complaint = complaint(&mut command);
            assert_contains(&complaint, &[part]);
            for secret in ["secret-word", cluster.password()] {
                assert!(!complaint.contains(secret), "{complaint}");
            }
        }
    }
}
