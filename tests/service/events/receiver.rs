//! A receiver of webhooks, as a customer would write it. It records the requests and responds as the
//! test chooses.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

/// How long a receiver waits for an expected request.
const PATIENCE: Duration = Duration::from_secs(20);

/// A received request.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: String,
    pub(super) path: String,
    /// The names are in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Received {
    /// The header with this name; fails if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        let header = self.headers.iter().find(|(known, _)| known == name);
        &header.unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The kind of event: `contact.created`.
    pub(super) fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }

    /// The id of the entity.
    pub(super) fn about(&self) -> String {
        self.json()["data"]["id"].as_str().unwrap().to_owned()
    }
}

/// The response to a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// A complete response.
    Answer { status: u16, headers: String, body: &'static str },
    /// No response, for as long as the sender waits.
    Hang,
    /// No response; the connection is closed.
    Close,
}

impl Reply {
    pub(super) fn status(status: u16) -> Self {
        Self::Answer { status, headers: String::new(), body: "" }
    }

    pub(super) fn with_header(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer { status, headers, body } => {
                Self::Answer { status, headers: format!("{headers}{name}: {value}\r\n"), body }
            }
            other => other,
        }
    }

    pub(super) fn with_body(self, body: &'static str) -> Self {
        match self {
            Self::Answer { status, headers, .. } => Self::Answer { status, headers, body },
            other => other,
        }
    }
}

type Rule = Box<dyn FnMut(&Received) -> Reply + Send>;

struct Desk {
    received: watch::Sender<Vec<Received>>,
    rule: Mutex<Rule>,
}

/// A receiver on its own port; it stops with the runtime of the test.
pub(super) struct Receiver {
    url: String,
    desk: Arc<Desk>,
}

impl Receiver {
    /// A receiver that accepts every request.
    pub(super) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let rule: Rule = Box::new(|_| Reply::status(200));
        let desk = Arc::new(Desk { received: watch::Sender::new(vec![]), rule: Mutex::new(rule) });
        let open = Arc::clone(&desk);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = Arc::clone(&open);
                // A sender may close the connection early.
                tokio::spawn(async move { drop(answer(stream, &desk).await) });
            }
        });
        Self { url, desk }
    }

    /// The URL of the receiver, with this path.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sets the rule for responses from now on.
    pub(super) fn answers(&self, rule: impl FnMut(&Received) -> Reply + Send + 'static) {
        *self.desk.rule.lock().unwrap() = Box::new(rule);
    }

    /// Sets the response from now on.
    pub(super) fn says(&self, reply: &Reply) {
        let reply = reply.clone();
        self.answers(move |_| reply.clone());
    }

    /// The requests received so far, in order.
    pub(super) fn received(&self) -> Vec<Received> {
        self.desk.received.borrow().clone()
    }

    /// Takes the requests received so far.
    pub(super) fn taken(&self) -> Vec<Received> {
        self.desk.received.send_replace(vec![])
    }

    /// Takes the kinds of the events received since the last call, in order.
    pub(super) fn kinds(&self) -> Vec<String> {
        self.taken().iter().map(Received::kind).collect()
    }

    /// Waits for this number of requests.
    pub(super) async fn has(&self, count: usize) {
        let mut received = self.desk.received.subscribe();
        let enough = timeout(PATIENCE, received.wait_for(|received| received.len() >= count)).await;
        assert!(enough.is_ok(), "not {count} requests: {:?}", self.received());
    }
}

/// Handles one request per connection.
async fn answer(mut stream: TcpStream, desk: &Desk) -> io::Result<()> {
    let request = read(&mut stream).await?;
    let reply = (desk.rule.lock().unwrap())(&request);
    desk.received.send_modify(|received| received.push(request));
    match reply {
        Reply::Answer { status, headers, body } => {
            let answer = format!(
                "HTTP/1.1 {status} Said\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await
        }
        // Until the sender gives up.
        Reply::Hang => stream.read(&mut [0]).await.map(drop),
        Reply::Close => Ok(()),
    }
}

async fn read(stream: &mut TcpStream) -> io::Result<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(stream, &mut bytes).await?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let headers = lines.map(|line| line.split_once(':').unwrap());
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let mut request = Received {
        method: first.next().unwrap(),
        path: first.next().unwrap(),
        headers: headers.collect(),
        body: String::new(),
    };
    let length: usize = request.header("content-length").parse().unwrap();
    while bytes.len() < end + 4 + length {
        more(stream, &mut bytes).await?;
    }
    request.body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
    Ok(request)
}

async fn more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<()> {
    match stream.read_buf(bytes).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
