use std::{
    net::{IpAddr, Ipv4Addr, TcpListener as Door},
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{FutureExt, future::BoxFuture};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    join,
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{super::attempt::RESPONSE_KEPT, *};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const BODY: &str = r#"{"type":"contact.created","name":"Zoë"}"#;
/// How long a test waits for an expected event before it fails.
const PATIENCE: Duration = Duration::from_secs(10);
const RETRY: Outcome = Outcome::Retry { after: None };

static SECRETS: LazyLock<Vec<Secret>> = LazyLock::new(|| vec![Secret::random(), Secret::random()]);

/// A receiver of webhooks.
struct Receiver {
    listener: TcpListener,
    url: String,
}

impl Receiver {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks?of=us", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// Accepts one connection and returns everything sent on it.
    async fn request(&self) -> (TcpStream, String) {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let request = whole_request(&mut stream).await;
        (stream, request)
    }

    /// Responds to one request and returns it.
    async fn answer(&self, answer: &str) -> String {
        let (mut stream, request) = self.request().await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        assert!(ended(&mut stream).await);
        request
    }
}

async fn whole_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut read = Vec::new();
    while !read.ends_with(BODY.as_bytes()) {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "the request ended early");
    }
    String::from_utf8(read).unwrap()
}

/// Waits until the client closes the connection.
async fn ended(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    matches!(timeout(PATIENCE, stream.read_to_end(&mut rest)).await, Ok(Ok(0) | Err(_)))
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn short() -> Timeouts {
    Timeouts { connect: Duration::from_millis(200), attempt: Duration::from_millis(200) }
}

async fn send(sender: &Sender, url: &str) -> Attempt {
    let (id, timestamp, body) = ("evt_1", 1_790_000_000, BODY.to_owned());
    let sending = sender.send(Request { url, id, timestamp, body, secrets: &SECRETS });
    timeout(PATIENCE, sending).await.expect("the attempt ends")
}

fn near() -> Sender {
    Sender::new(Reach::WithLoopback).unwrap()
}

/// The attempt for this response.
async fn answered(answer: &str) -> Attempt {
    let (receiver, sender) = (Receiver::new().await, near());
    join!(send(&sender, &receiver.url), receiver.answer(answer)).0
}

#[tokio::test]
async fn a_delivery_has_the_headers_of_the_specification_and_a_signature_that_verifies() {
    let (receiver, sender) = (Receiver::new().await, near());
    let (attempt, request) = join!(send(&sender, &receiver.url), receiver.answer(OK));
    assert_eq!((attempt.status, attempt.outcome), (Some(200), Outcome::Delivered));
    assert_eq!((attempt.error, attempt.response.as_deref()), (None, Some("ok")));
    assert!(attempt.duration > Duration::ZERO && attempt.duration < ATTEMPT_TIMEOUT);

    assert!(request.starts_with("POST /hooks?of=us HTTP/1.1\r\n"), "{request}");
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    let agent = format!("Tessera-Webhooks/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(header(&request, "user-agent"), Some(agent.as_str()));

    let (id, timestamp) =
        (header(&request, "webhook-id").unwrap(), header(&request, "webhook-timestamp").unwrap());
    assert_eq!((id, timestamp), ("evt_1", "1790000000"));
    let body = request.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body, BODY);
    let expected = sign(&SECRETS, id, timestamp.parse().unwrap(), body);
    assert_eq!(header(&request, "webhook-signature"), Some(expected.as_str()));
    assert_eq!(expected.split(' ').count(), 2);
}

#[tokio::test]
async fn each_attempt_has_a_connection_and_a_look_up_of_its_own() {
    static LOOKED_UP: AtomicUsize = AtomicUsize::new(0);
    // Forbidden addresses are dropped; the port is that of the URL.
    let lookup: Lookup = |name| {
        assert_eq!(name, "hook.localhost");
        LOOKED_UP.fetch_add(1, Ordering::SeqCst);
        found(vec![Ipv4Addr::new(10, 255, 255, 1), Ipv4Addr::LOCALHOST])
    };
    let (receiver, sender) = (Receiver::new().await, with_lookup(Reach::WithLoopback, lookup));
    let url = receiver.url.replace("127.0.0.1", "hook.localhost");
    for attempts in 1..=2 {
        let (attempt, _) = join!(send(&sender, &url), receiver.answer(OK));
        assert_eq!(attempt.outcome, Outcome::Delivered, "{:?}", attempt.error);
        assert_eq!(LOOKED_UP.load(Ordering::SeqCst), attempts);
    }
}

#[tokio::test]
async fn a_failure_is_tried_again_when_the_endpoint_is_ready() {
    let attempt = answered("HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\n\x1b[2J").await;
    assert_eq!((attempt.status, attempt.outcome), (Some(500), RETRY));
    assert_eq!(attempt.error.as_deref(), Some("It answered with status 500."));
    assert_eq!(attempt.response.as_deref(), Some("\u{fffd}[2J"));

    let attempt = answered("HTTP/1.1 429 Slow\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n").await;
    let after = Some(Duration::from_secs(120));
    assert_eq!((attempt.status, attempt.outcome), (Some(429), Outcome::Retry { after }));
    assert_eq!(attempt.response, None);
}

#[tokio::test]
async fn an_endpoint_can_say_that_it_is_gone() {
    let attempt = answered("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!((attempt.status, attempt.outcome), (Some(410), Outcome::Gone));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let (_, elsewhere, port) = closed_door();
        let location = format!("http://127.0.0.1:{port}/");
        let attempt = answered(&format!(
            "HTTP/1.1 {status} Over there\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await;
        assert_eq!((attempt.status, attempt.outcome), (Some(status), RETRY));
        assert!(attempt.error.unwrap().contains("redirect"));
        assert!(not_connected(&elsewhere));
    }
}

#[tokio::test]
async fn an_endpoint_that_hangs_is_let_go_when_its_time_is_over() {
    let (receiver, sender) =
        (Receiver::new().await, Sender::with_timeouts(Reach::WithLoopback, short()).unwrap());
    let hanging = async {
        let (mut stream, _) = receiver.request().await;
        ended(&mut stream).await
    };
    let (attempt, let_go) = join!(send(&sender, &receiver.url), hanging);
    assert!(let_go);
    assert_eq!((attempt.status, attempt.outcome), (None, RETRY));
    assert_eq!(attempt.error.as_deref(), Some("It did not answer within 0.2 seconds."));
    assert!(attempt.duration >= short().attempt && attempt.duration < short().attempt * 5);
}

#[tokio::test]
async fn an_endpoint_that_drips_is_let_go_when_its_time_is_over() {
    for (head, status, outcome) in
        [("HTTP/1.1 200 OK\r\n\r\n", Some(200), Outcome::Delivered), ("HTTP/1.1 200 O", None, RETRY)]
    {
        let (receiver, sender) =
            (Receiver::new().await, Sender::with_timeouts(Reach::WithLoopback, short()).unwrap());
        let dripping = async {
            let (mut stream, _) = receiver.request().await;
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut tick = tokio::time::interval(Duration::from_millis(10));
            while stream.write_all(b"o").await.is_ok() {
                tick.tick().await;
            }
        };
        let (attempt, ()) = join!(send(&sender, &receiver.url), dripping);
        assert_eq!((attempt.status, attempt.outcome), (status, outcome));
        assert!(attempt.duration >= short().attempt && attempt.duration < short().attempt * 5);
        assert_eq!(attempt.response.is_some_and(|text| text.starts_with("oo")), status.is_some());
    }
}

#[tokio::test]
async fn an_endless_answer_is_not_read_to_its_end() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx: ",
    ] {
        let (receiver, sender) = (Receiver::new().await, near());
        let pouring = async {
            let (mut stream, _) = receiver.request().await;
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut poured = 0;
            while stream.write_all(&[b'o'; 16 * 1_024]).await.is_ok() {
                poured += 16 * 1_024;
            }
            poured
        };
        let (attempt, poured) = join!(send(&sender, &receiver.url), pouring);
        // The kernel buffers some megabytes; the client stops far earlier.
        assert!(poured < 32 * 1_024 * 1_024, "{poured}");
        assert!(attempt.duration < ATTEMPT_TIMEOUT / 3);
        if head.ends_with("\r\n\r\n") {
            assert_eq!(attempt.outcome, Outcome::Delivered);
            assert_eq!(attempt.response, Some("o".repeat(RESPONSE_KEPT)));
        } else {
            assert_eq!((attempt.status, attempt.outcome), (None, RETRY));
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_closes_or_speaks_something_else_is_tried_again() {
    for answer in ["", "HTTP/1.1 200", "SSH-2.0-OpenSSH_9.2\r\n", "\r\n\r\n\r\n"] {
        let (receiver, sender) = (Receiver::new().await, near());
        let closing = async {
            let (mut stream, _) = receiver.request().await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        let (attempt, ()) = join!(send(&sender, &receiver.url), closing);
        assert_eq!((attempt.status, attempt.outcome), (None, RETRY), "{answer}");
        assert!(attempt.error.unwrap().starts_with("It closed the connection"), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_cut_short_still_counts() {
    let (receiver, sender) = (Receiver::new().await, near());
    let cutting = async {
        let (mut stream, _) = receiver.request().await;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok").await.unwrap();
    };
    let (attempt, ()) = join!(send(&sender, &receiver.url), cutting);
    assert_eq!((attempt.outcome, attempt.response.as_deref()), (Outcome::Delivered, Some("ok")));
}

#[tokio::test]
async fn nobody_there_is_tried_again() {
    let (url, door, _) = closed_door();
    drop(door);
    let attempt = send(&near(), &url.replace("https", "http")).await;
    assert_eq!((attempt.status, attempt.outcome), (None, RETRY));
    assert_eq!(attempt.error.as_deref(), Some("It refused the connection."));
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_is_tried_again() {
    let unknown: Lookup = |_| async { Err(io::Error::from(io::ErrorKind::NotFound)) }.boxed();
    for lookup in [unknown, |_| found(vec![])] {
        let attempt = send(&with_lookup(Reach::Public, lookup), "https://nobody.example/").await;
        assert_eq!((attempt.status, attempt.outcome), (None, RETRY));
        assert_eq!(attempt.error.as_deref(), Some("The name in the URL could not be looked up."));
    }
}

#[tokio::test]
async fn a_look_up_that_hangs_is_let_go() {
    let sender = Sender::open(
        Reach::Public,
        Timeouts { connect: Duration::from_millis(50), attempt: ATTEMPT_TIMEOUT },
        |_| std::future::pending().boxed(),
        RootCertStore::empty(),
    );
    let attempt = send(&sender.unwrap(), "https://nobody.example/").await;
    assert_eq!(attempt.outcome, RETRY);
    assert_eq!(attempt.error.as_deref(), Some("It could not be connected to within 0.05 seconds."));
}

#[tokio::test]
async fn nothing_inner_is_ever_connected_to() {
    let inwards: Lookup =
        |_| found(vec![Ipv4Addr::LOCALHOST, Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(10, 0, 0, 1)]);
    let sender = with_lookup(Reach::Public, inwards);
    let (url, door, _) = closed_door();
    for host in
        ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost", "hook.localhost", "hook.example"]
    {
        let url = url.replace("127.0.0.1", host);
        for url in [url.replace("https", "http"), url] {
            let attempt = send(&sender, &url).await;
            assert_eq!((attempt.status, attempt.outcome), (None, Outcome::Refused), "{url}");
            assert!(!attempt.error.unwrap().contains("127."));
            assert!(not_connected(&door), "{url}");
        }
    }
    let attempt = send(&sender, &url.replace("127.0.0.1", "hook.example")).await;
    assert_eq!(attempt.error.as_deref(), Some("The name in the URL leads to no public address."));
}

#[tokio::test]
async fn nothing_is_sent_unsigned() {
    let (url, door, _) = closed_door();
    let (id, timestamp, body) = ("evt_1", 1, BODY.to_owned());
    let request = Request { url: &url, id, timestamp, body, secrets: &[] };
    assert_eq!(near().send(request).await.outcome, Outcome::Refused);
    assert!(not_connected(&door));
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_of_the_name() {
    let key = rcgen::generate_simple_self_signed(["hook.localhost".to_owned()]).unwrap();
    let mut known = RootCertStore::empty();
    known.add(key.cert.der().clone()).unwrap();
    let unknown = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let acceptor =
        acceptor(key.cert.der().clone(), PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into());
    for (roots, name, delivered) in [
        (&known, "hook.localhost", true),
        (&known, "other.localhost", false),
        (&unknown, "hook.localhost", false),
    ] {
        let receiver = Receiver::new().await;
        let url = receiver.url.replace("http://127.0.0.1", &format!("https://{name}"));
        let sender = Sender::open(
            Reach::WithLoopback,
            Timeouts::default(),
            |_| found(vec![Ipv4Addr::LOCALHOST]),
            roots.clone(),
        )
        .unwrap();
        let receiving = async {
            let stream = receiver.listener.accept().await.unwrap().0;
            let Ok(mut stream) = acceptor.accept(stream).await else { return false };
            whole_request(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            true
        };
        let (attempt, received) = join!(send(&sender, &url), receiving);
        assert_eq!((received, attempt.outcome == Outcome::Delivered), (delivered, delivered), "{attempt:?}");
        if !delivered {
            assert_eq!(attempt.error.as_deref(), Some("Its TLS certificate is not valid."));
        }
    }
}

#[tokio::test]
async fn https_to_something_else_is_told_from_a_bad_certificate() {
    let (receiver, sender) = (Receiver::new().await, near());
    let answering = async {
        let mut stream = receiver.listener.accept().await.unwrap().0;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        ended(&mut stream).await
    };
    let url = receiver.url.replace("http", "https");
    let (attempt, _) = join!(send(&sender, &url), answering);
    assert_eq!(attempt.outcome, RETRY);
    assert_eq!(attempt.error.as_deref(), Some("No secure connection (TLS) could be made."));
}

#[test]
fn the_usual_timeouts_are_the_named_ones() {
    let usual = Timeouts::default();
    assert_eq!((usual.connect.as_secs(), usual.attempt.as_secs()), (5, 15));
}

fn acceptor(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> TlsAcceptor {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn found(addresses: Vec<Ipv4Addr>) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
    async { Ok(addresses.into_iter().map(IpAddr::from).collect()) }.boxed()
}

fn with_lookup(reach: Reach, lookup: Lookup) -> Sender {
    Sender::open(reach, Timeouts::default(), lookup, RootCertStore::empty()).unwrap()
}

/// A listening port that detects connections, even closed ones: its https URL, the listener, the port.
fn closed_door() -> (String, Door, u16) {
    let door = Door::bind("127.0.0.1:0").unwrap();
    door.set_nonblocking(true).unwrap();
    let port = door.local_addr().unwrap().port();
    (format!("https://127.0.0.1:{port}/"), door, port)
}

fn not_connected(door: &Door) -> bool {
    door.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}
