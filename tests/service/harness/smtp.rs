//! A mail server in the test's own process: it speaks SMTP, and does as the test says.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use mailin::{
    Action, Handler, Response, SessionBuilder,
    response::{BAD_HELLO, INTERNAL_ERROR, INVALID_CREDENTIALS, NO_MAILBOX, OK},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// What the server does with the next mail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    /// Takes it.
    Accept,
    /// Refuses its recipient for good: 550.
    Refuse,
    /// Refuses its recipient for now: 451.
    Defer,
    /// Refuses to talk without other credentials: 535.
    Distrust,
    /// Hangs up when the mail was sent, and says nothing.
    HangUp,
    /// Keeps the connection, and says nothing.
    Sulk,
}

/// A mail that arrived.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrived {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// The whole of it, head and body.
    pub(crate) data: String,
}

impl Arrived {
    /// What stands in its head under this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let head = self.data.split("\r\n\r\n").next().unwrap();
        head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

#[derive(Default)]
struct State {
    behaviour: Option<Behaviour>,
    arrived: Vec<Arrived>,
}

/// The server. It ends with the runtime it was started on.
pub(crate) struct SmtpServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl SmtpServer {
    /// A server that accepts what it gets.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::default();
        tokio::spawn(accept(listener, Arc::clone(&state)));
        Self { address, state }
    }

    /// What `TESSERA_SMTP_URL` has to be.
    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on the server does this.
    pub(crate) fn does(&self, behaviour: Behaviour) {
        lock(&self.state).behaviour = Some(behaviour);
    }

    /// The mails that arrived so far, oldest first.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        lock(&self.state).arrived.clone()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap()
}

/// One connection: what it has said of its mail so far.
struct Visit {
    mail: Arrived,
    state: Arc<Mutex<State>>,
}

impl Visit {
    fn behaviour(&self) -> Behaviour {
        lock(&self.state).behaviour.unwrap_or(Behaviour::Accept)
    }
}

impl Handler for Visit {
    fn helo(&mut self, _: IpAddr, domain: &str) -> Response {
        if domain.is_empty() { BAD_HELLO } else { OK }
    }

    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        self.mail = Arrived { from: from.to_owned(), ..Arrived::default() };
        match self.behaviour() {
            Behaviour::Distrust => INVALID_CREDENTIALS,
            _ => OK,
        }
    }

    fn rcpt(&mut self, to: &str) -> Response {
        self.mail.to.push(to.to_owned());
        match self.behaviour() {
            Behaviour::Refuse => NO_MAILBOX,
            Behaviour::Defer => INTERNAL_ERROR,
            _ => OK,
        }
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.mail.data.push_str(str::from_utf8(line).map_err(io::Error::other)?);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        if matches!(self.behaviour(), Behaviour::Accept) {
            let mail = std::mem::take(&mut self.mail);
            lock(&self.state).arrived.push(mail);
        }
        OK
    }
}

async fn accept(listener: TcpListener, state: Arc<Mutex<State>>) {
    loop {
        let (stream, client) = listener.accept().await.unwrap();
        tokio::spawn(converse(stream, client.ip(), Arc::clone(&state)));
    }
}

/// A client may hang up whenever it likes, so an error ends the conversation and nothing else.
async fn converse(stream: TcpStream, client: IpAddr, state: Arc<Mutex<State>>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let visit = Visit { mail: Arrived::default(), state: Arc::clone(&state) };
    let mut session = SessionBuilder::new("mail.example.org").build(client, visit);
    stream.write_all(&session.greeting().buffer()?).await?;
    let mut line = vec![];
    while stream.read_until(b'\n', &mut line).await? > 0 {
        let response = session.process(&line);
        let behaviour = lock(&state).behaviour;
        match (behaviour, &line[..]) {
            (Some(Behaviour::HangUp), b".\r\n") => return Ok(()),
            (Some(Behaviour::Sulk), b".\r\n") => std::future::pending().await,
            _ => {}
        }
        line.clear();
        match response.action {
            Action::NoReply => {}
            _ => stream.write_all(&response.buffer()?).await?,
        }
        if response.action == Action::Close {
            break;
        }
    }
    Ok(())
}
