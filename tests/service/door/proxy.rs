//! A proxy in front of PostgreSQL that writes down who said what when, and that can be cut.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tenancy::Addresses;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// The client has nothing more to say until it is answered.
const SILENCE: Duration = Duration::from_millis(10);

/// What was said, in turns: the client's begin with `>`, PostgreSQL's with `<`.
type Turns = Arc<Mutex<Vec<String>>>;

pub(super) struct Proxy {
    /// Those of the database, with the proxy in front of both pools.
    pub(super) addresses: Addresses,
    turns: Turns,
    open: watch::Sender<bool>,
}

impl Proxy {
    pub(super) async fn before(addresses: &Addresses) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let postgres = SocketAddr::from(([127, 0, 0, 1], addresses.app.port().unwrap()));
        let mut addresses = addresses.clone();
        for url in [&mut addresses.app, &mut addresses.system] {
            url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        }
        let (turns, open) = (Turns::default(), watch::Sender::new(true));
        tokio::spawn(accept(listener, postgres, Arc::clone(&turns), open.subscribe()));
        Self { addresses, turns, open }
    }

    /// Forgets what was said so far.
    pub(super) fn forget(&self) {
        self.turns.lock().unwrap().clear();
    }

    /// What was said since. A `|` stands where the client wrote a second time before it listened.
    pub(super) fn turns(&self) -> Vec<String> {
        self.turns.lock().unwrap().clone()
    }

    /// Ends all connections, and takes no more of them.
    pub(super) fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Takes connections again.
    pub(super) fn mend(&self) {
        self.open.send_replace(true);
    }
}

async fn accept(listener: TcpListener, postgres: SocketAddr, turns: Turns, mut open: watch::Receiver<bool>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        if *open.borrow_and_update() {
            tokio::spawn(pass(client, postgres, Arc::clone(&turns), open.clone()));
        }
    }
}

async fn pass(client: TcpStream, postgres: SocketAddr, turns: Turns, mut open: watch::Receiver<bool>) {
    let server = TcpStream::connect(postgres).await.unwrap();
    for stream in [&client, &server] {
        stream.set_nodelay(true).unwrap();
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pass_questions(from_client, to_server, &turns) => {}
        () = pass_answers(from_server, to_client, &turns) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

/// Holds back what the client says until it falls silent, so that a question which does not wait
/// for an answer is always one turn with what went before.
async fn pass_questions(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, turns: &Turns) {
    let (mut bytes, mut messages) = (vec![0; 65_536], Messages { started: false, pending: vec![] });
    while let Ok(length @ 1..) = client.read(&mut bytes).await {
        let mut held = bytes[..length].to_vec();
        let mut said = messages.read(&bytes[..length], question);
        while let Ok(Ok(length @ 1..)) = tokio::time::timeout(SILENCE, client.read(&mut bytes)).await {
            held.extend_from_slice(&bytes[..length]);
            said.push("|".to_owned());
            said.extend(messages.read(&bytes[..length], question));
        }
        turns.lock().unwrap().push(format!("> {}", said.join(" ")));
        if server.write_all(&held).await.is_err() {
            return;
        }
    }
}

async fn pass_answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, turns: &Turns) {
    let (mut bytes, mut messages) = (vec![0; 65_536], Messages { started: true, pending: vec![] });
    while let Ok(length @ 1..) = server.read(&mut bytes).await {
        for said in messages.read(&bytes[..length], answer) {
            let mut turns = turns.lock().unwrap();
            match turns.last_mut().filter(|turn| turn.starts_with('<')) {
                Some(turn) => *turn += &format!(" {said}"),
                None => turns.push(format!("< {said}")),
            }
        }
        if client.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}

/// Cuts the stream into messages: a type, a length that counts itself, a body.
struct Messages {
    /// The client's first message has no type.
    started: bool,
    pending: Vec<u8>,
}

impl Messages {
    fn read(&mut self, bytes: &[u8], name: fn(u8, &str) -> Option<String>) -> Vec<String> {
        self.pending.extend_from_slice(bytes);
        let mut names = vec![];
        loop {
            let prefix = usize::from(self.started);
            let Some(length) = self.pending.get(prefix..prefix + 4) else { return names };
            let end = prefix + usize::try_from(u32::from_be_bytes(length.try_into().unwrap())).unwrap();
            let Some(message) = self.pending.get(..end) else { return names };
            if self.started {
                names.extend(name(message[0], &String::from_utf8_lossy(&message[5..])));
            }
            self.started = true;
            self.pending.drain(..end);
        }
    }
}

fn first_word(text: &str) -> String {
    text.split([' ', ';', '\0']).next().unwrap_or_default().to_owned()
}

fn question(kind: u8, body: &str) -> Option<String> {
    Some(match kind {
        b'Q' => first_word(body),
        b'P' => "Parse".to_owned(),
        b'B' => "Bind".to_owned(),
        b'D' => "Describe".to_owned(),
        b'E' => "Execute".to_owned(),
        b'S' => "Sync".to_owned(),
        other => char::from(other).to_string(),
    })
}

/// Only what ends something is worth a word.
fn answer(kind: u8, body: &str) -> Option<String> {
    match kind {
        b'C' => Some(first_word(body)),
        b'E' => Some("Error".to_owned()),
        b'Z' => Some("Ready".to_owned()),
        _ => None,
    }
}
