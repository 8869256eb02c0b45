//! What every test stands on: one server for the whole binary, on one migrated database, and
//! clients that ask it.

pub(crate) mod askers;
mod client;
mod database;
pub(crate) mod generate;
mod grants;
mod mailbox;
pub(crate) mod overheard;
pub(crate) mod rows;
pub(crate) mod smtp;

use std::{sync::OnceLock, thread};

use events::Events;
use gateway::Service;
use tenancy::{Addresses, Limits, ManualClock};
use tokio::{net::TcpListener, runtime::Runtime};
use uuid::Uuid;

pub(crate) use client::{
    Answer, Client, PASSWORD, anonymous, http, input_of, organisation, unique_email, uuid,
};
pub(crate) use database::{connect, hash_of, migrations, postgres, superuser};
pub(crate) use grants::settings;
pub(crate) use mailbox::{link_in, mail_settings, mails_to, token_for, with_tokens};

/// Signs the access tokens of tests.
pub(crate) const TOKEN_KEY: &str = "a key for tests alone of more than 32 bytes";

/// The server that all tests share.
pub(crate) struct Server {
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
    /// The database it serves.
    pub(crate) addresses: Addresses,
    /// Its events. Nothing works in the background: a test drains its own organisation.
    pub(crate) events: Events,
    runtime: &'static Runtime,
}

impl Server {
    /// Does the background work of one organisation. On the server's own runtime: connections that
    /// are opened for it end with the runtime that they were opened on, and others use them too.
    pub(crate) async fn drain(&self, organisation_id: Uuid) {
        let events = self.events.clone();
        let drained = self.runtime.spawn(async move { events.drain(organisation_id).await });
        drained.await.unwrap().unwrap();
    }
}

/// The server; started by the test that asks first, stopped when the process ends.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        // A test's own runtime ends with the test, so the server has a thread to itself.
        thread::spawn(|| {
            let runtime: &'static Runtime = Box::leak(Box::new(Runtime::new().unwrap()));
            runtime.block_on(async {
                let addresses = database::migrated().await;
                let service = open(&addresses, &ManualClock::default()).await;
                let events = service.events().clone();
                Server { url: serve(service).await, addresses, events, runtime }
            })
        })
        .join()
        .unwrap()
    })
}

/// A server of a test's own, on any database, with a clock that the test moves. It ends with the
/// runtime it was started on.
pub(crate) async fn start(addresses: &Addresses, clock: &ManualClock) -> String {
    serve(open(addresses, clock).await).await
}

/// A service of a test's own, which nobody asks yet and which does nothing in the background.
pub(crate) async fn open(addresses: &Addresses, clock: &ManualClock) -> Service {
    open_with(addresses, clock, 8).await
}

/// As [`open`], with so many connections to the database.
async fn open_with(addresses: &Addresses, clock: &ManualClock, connections: usize) -> Service {
    // Where the receivers of tests are.
    let keys = domain_identity::TokenKeys::parse(TOKEN_KEY).unwrap();
    let limits = Limits { connections, ..Limits::default() };
    let service =
        Service::open(addresses, &limits, keys, clock.clock(), &mail_settings(), settings()).await.unwrap();
    service.without_work()
}

/// Serves until the runtime ends; answers where.
pub(crate) async fn serve(service: Service) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(service.serve(listener, std::future::pending()));
    url
}
