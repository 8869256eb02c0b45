//! A server of a test's own on the shared database, and every statement that it sends there.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tenancy::{Addresses, ManualClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
};

use super::{Client, open_with, serve, server};

type Texts = Arc<Mutex<Vec<String>>>;

/// A server with one connection for requests, so that their statements have one order.
pub(crate) struct Overheard {
    url: String,
    texts: Texts,
}

impl Overheard {
    /// On the database that all tests share: their clients can ask it too.
    pub(crate) async fn start() -> Self {
        let texts = Texts::default();
        let addresses = before(&server().addresses, &texts).await;
        let service = open_with(&addresses, &ManualClock::default(), 1).await;
        Self { url: serve(service).await, texts }
    }

    /// The same client, asking this server.
    pub(crate) fn client(&self, client: &Client) -> Client {
        client.at(&self.url)
    }

    /// The texts of the statements since the last time, in order. What begins and ends transactions has
    /// ids and times in it, and is its first word alone. Sessions are left out: they are read when they
    /// were forgotten, whatever is asked.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut texts = std::mem::take(&mut *self.texts.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(session) = texts.iter().position(|text| text.contains("\"login_sessions\"")) {
            let transaction: Vec<_> = texts.drain(session - 1..=session + 1).collect();
            assert_eq!([&transaction[0], &transaction[2]], ["BEGIN", "COMMIT"]);
        }
        texts
    }
}

/// Puts an ear in front of the database.
async fn before(addresses: &Addresses, texts: &Texts) -> Addresses {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let postgres = SocketAddr::from(([127, 0, 0, 1], addresses.app.port().unwrap()));
    let mut overheard = addresses.clone();
    overheard.app.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    let texts = Arc::clone(texts);
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(pass(client, postgres, Arc::clone(&texts)));
        }
    });
    overheard
}

/// Passes on what both sides say, and writes down the client's statements before PostgreSQL sees them.
async fn pass(client: TcpStream, postgres: SocketAddr, texts: Texts) {
    let server = TcpStream::connect(postgres).await.unwrap();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let ((mut asks, mut hears), (mut answers, mut listens)) = (client.into_split(), server.into_split());
    tokio::spawn(async move { copy(&mut answers, &mut hears).await });
    let (mut bytes, mut pending, mut conversation) = (vec![0; 65_536], vec![], Conversation::default());
    while let Ok(length @ 1..) = asks.read(&mut bytes).await {
        pending.extend_from_slice(&bytes[..length]);
        let said = conversation.read(&mut pending);
        texts.lock().unwrap_or_else(PoisonError::into_inner).extend(said);
        if listens.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// What one connection has said so far.
#[derive(Default)]
struct Conversation {
    /// The client's first message has no type.
    started: bool,
    /// The statements that were prepared, by their names.
    prepared: HashMap<String, String>,
}

impl Conversation {
    /// The statements in whole messages, which are taken away: a type, a length that counts itself, a body.
    fn read(&mut self, pending: &mut Vec<u8>) -> Vec<String> {
        let mut said = vec![];
        loop {
            let prefix = usize::from(self.started);
            let Some(length) = pending.get(prefix..prefix + 4) else { return said };
            let end = prefix + usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
            if pending.len() < end {
                return said;
            }
            let message: Vec<u8> = pending.drain(..end).collect();
            if std::mem::replace(&mut self.started, true) {
                said.extend(self.statement(message[0], &String::from_utf8_lossy(&message[5..])));
            }
        }
    }

    fn statement(&mut self, kind: u8, body: &str) -> Option<String> {
        let mut texts = body.split('\0');
        let (one, other) = (texts.next()?.to_owned(), texts.next()?.to_owned());
        match kind {
            b'P' => {
                self.prepared.insert(one, other);
                None
            }
            b'B' => self.prepared.get(&other).cloned(),
            b'Q' => one.split([' ', ';']).next().map(str::to_owned),
            _ => None,
        }
    }
}
