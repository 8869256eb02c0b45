//! A server whose PostgreSQL explains what it did: a database of its own with `auto_explain`, which
//! sends each plan as a notice, and an ear on the way that notices take.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use gateway::Service;
use serde_json::Value;
use tenancy::{Addresses, Clock, Limits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::harness::{Client, TOKEN_KEY, mail_settings, postgres, superuser};

/// A server with one connection to a migrated database of its own.
pub(super) struct Explained {
    pub(super) addresses: Addresses,
    /// Nobody is logged in with it.
    pub(super) client: Client,
    plans: Plans,
}

/// What PostgreSQL did for a statement.
pub(super) struct Plan {
    /// On which of the service's connections, in the order in which they were opened.
    pub(super) connection: usize,
    /// As `EXPLAIN` has it, with the text of the statement.
    pub(super) json: Value,
}

type Plans = Arc<Mutex<Vec<Plan>>>;

impl Explained {
    /// On a new database of this name.
    pub(super) async fn start(name: &str) -> Self {
        Self::with(name, "off").await
    }

    /// The same, of which the statements inside functions are heard as well.
    pub(super) async fn with_functions(name: &str) -> Self {
        Self::with(name, "on").await
    }

    async fn with(name: &str, functions: &str) -> Self {
        let addresses = postgres().migrated_database(name).await;
        let settings = [
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_level", "notice"),
            ("auto_explain.log_format", "json"),
            ("auto_explain.log_nested_statements", functions),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_verbose", "on"),
            ("auto_explain.log_timing", "off"),
        ];
        let database = addresses.database();
        let settings: String = settings
            .map(|(name, value)| format!("ALTER DATABASE {database} SET {name} = '{value}';"))
            .concat();
        // A library's settings are known only where it is loaded.
        let settings = format!("LOAD 'auto_explain'; {settings}");
        superuser(database).await.batch_execute(&settings).await.unwrap();
        let plans = Plans::default();
        let overheard = overhear(&addresses, &plans).await;
        let keys = domain_identity::TokenKeys::parse(TOKEN_KEY).unwrap();
        let limits = Limits { connections: 1, ..Limits::default() };
        let service = Service::open(
            &overheard,
            &limits,
            keys,
            Clock::system(),
            &mail_settings(),
            crate::harness::settings(),
        )
        .await
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::of(&format!("http://{}", listener.local_addr().unwrap()));
        tokio::spawn(service.without_work().serve(listener, std::future::pending()));
        Self { addresses, client, plans }
    }

    /// The plans of the statements since the last time. Notices arrive before the answer that they
    /// belong to.
    pub(super) fn take(&self) -> Vec<Plan> {
        std::mem::take(&mut *self.plans.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts an ear in front of the database.
async fn overhear(addresses: &Addresses, plans: &Plans) -> Addresses {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let postgres = SocketAddr::from(([127, 0, 0, 1], addresses.app.port().unwrap()));
    let mut overheard = addresses.clone();
    overheard.app.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    let plans = Arc::clone(plans);
    tokio::spawn(async move {
        for connection in 0.. {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(postgres).await.unwrap();
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let ((mut asks, hears), (answers, mut listens)) = (client.into_split(), server.into_split());
            tokio::spawn(async move { copy(&mut asks, &mut listens).await });
            tokio::spawn(listen(connection, answers, hears, Arc::clone(&plans)));
        }
    });
    overheard
}

/// Passes PostgreSQL's answers on, message by message: a type, a length that counts itself, a body.
async fn listen(connection: usize, mut answers: OwnedReadHalf, mut hears: OwnedWriteHalf, plans: Plans) {
    loop {
        let mut message = vec![0; 5];
        if answers.read_exact(&mut message).await.is_err() {
            return;
        }
        let length = u32::from_be_bytes(message[1..].try_into().unwrap());
        message.resize(usize::try_from(length).unwrap() + 1, 0);
        if answers.read_exact(&mut message[5..]).await.is_err() {
            return;
        }
        if message[0] == b'N' {
            let plan = plan(&message[5..]).map(|json| Plan { connection, json });
            plans.lock().unwrap_or_else(PoisonError::into_inner).extend(plan);
        }
        if hears.write_all(&message).await.is_err() {
            return;
        }
    }
}

/// The plan in a notice, which has fields of a letter and a text each.
fn plan(notice: &[u8]) -> Option<Value> {
    let text = notice.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"M"))?;
    let (_, plan) = std::str::from_utf8(text).ok()?.split_once("plan:\n")?;
    serde_json::from_str(plan).ok()
}
