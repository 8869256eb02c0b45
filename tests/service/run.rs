//! The real binary, as a person or a container starts it.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU16, Ordering},
        mpsc::channel,
    },
    thread,
    time::{Duration, Instant},
};

use gateway::cluster::{Cluster, Settings};
use serde_json::{Value, json};

use crate::{
    cluster::{Temporary, is_alive, wait_until},
    harness::{Client, TOKEN_KEY, connect},
};

/// How long a start may take on a busy machine.
const STARTING: Duration = Duration::from_secs(60);

/// The binary beside this test, built anew: cargo builds it for the gateway's own tests alone.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // target/<profile>/deps/service-…
        let test = std::env::current_exe().unwrap();
        let built = test.ancestors().nth(2).unwrap();
        let profile = match built.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "gateway", "--profile", profile, "--target-dir"]);
        let status = cargo.arg(built.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(status.unwrap().success(), "the gateway cannot be built");
        built.join("gateway")
    })
}

/// The binary with nothing set that the tests' own caller may have set.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if ["DATABASE_", "TESSERA_", "PG"].iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    command
}

/// What a command that ends by itself says on standard output.
fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The sentence of a command that fails, behind the log.
fn complaint(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(1), "{stdout}{stderr}");
    let sentence = stderr.lines().skip_while(|line| line.starts_with('{')).collect::<Vec<_>>().join("\n");
    assert!(sentence.starts_with("gateway: "), "{stderr}");
    sentence
}

#[track_caller]
fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// A gateway that runs; killed when the test ends before it.
struct Gateway {
    child: Child,
    /// What it has printed until it was ready.
    greeting: String,
    /// The address it prints or logs, as `127.0.0.1:port`.
    address: String,
    ready_after: Duration,
}

impl Gateway {
    /// Everything on this machine, as `cargo run` does it, until the greeting.
    fn run(temporary: &Temporary, arguments: &[&str]) -> Self {
        let begun = Instant::now();
        let mut child = private(temporary, arguments)
            .stdout(Stdio::piped())
            .stderr(stderr_of(temporary))
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut gateway = Self::of(child);
        let (send, receive) = channel();
        // Reads on to the end, so that the gateway never waits for us.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(send.send(line))));
        while !gateway.greeting.contains("Ctrl-C stops") {
            match receive.recv_timeout(STARTING.saturating_sub(begun.elapsed())) {
                Ok(line) => gateway.greeting += &format!("{line}\n"),
                Err(_) => panic!("no greeting: {}{}", gateway.greeting, log_of(temporary)),
            }
        }
        gateway.ready_after = begun.elapsed();
        let (_, address) = gateway.greeting.split_once("http://").unwrap();
        gateway.address = address.split('/').next().unwrap().to_owned();
        gateway
    }

    /// `gateway serve`, until it logs that it listens.
    fn serve(temporary: &Temporary, database_url: &str) -> Self {
        let child = serve_at(database_url).stdout(Stdio::null()).stderr(stderr_of(temporary)).spawn().unwrap();
        let mut gateway = Self::of(child);
        wait_until("it logs where it listens", || {
            assert!(gateway.child.try_wait().unwrap().is_none(), "{}", log_of(temporary));
            let log = log_of(temporary);
            let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let Some(line) = lines.find(|line| line["message"] == "listening") else { return false };
            gateway.address = line["address"].as_str().unwrap().to_owned();
            true
        });
        gateway
    }

    fn of(child: Child) -> Self {
        Self { child, greeting: String::new(), address: String::new(), ready_after: STARTING }
    }

    /// Sends a signal to this process alone.
    fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// As the terminal does it: SIGINT to the whole process group.
    fn ctrl_c(&self) {
        signal("INT", &format!("-{}", self.child.id()));
    }

    /// Waits for the end.
    fn ended(mut self) -> ExitStatus {
        wait_until("the gateway ends", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap()
    }

    fn stopped(self) {
        self.signal("TERM");
        assert!(self.ended().success());
    }

    /// E-mail, password and organisation of each demo log-in, as greeted.
    fn demo_log_ins(&self) -> Vec<[String; 3]> {
        let lines = self.greeting.lines().skip_while(|line| !line.contains("Demo log-ins"));
        let lines = lines.take_while(|line| !line.contains("Try it")).filter(|line| line.contains('@'));
        let log_in = |line: &str| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (email, password) = (words.next().unwrap(), words.next().unwrap());
            [email, password, words.collect::<Vec<_>>().join(" ")]
        };
        lines.map(log_in).collect()
    }

    /// Somebody with this token.
    fn client(&self, access_token: Option<&str>) -> Client {
        let mut client = Client::of(&format!("http://{}", self.address));
        client.access_token = access_token.map(str::to_owned);
        client
    }

    async fn log_in(&self, email: &str, password: &str) -> Client {
        let query = "mutation ($email: String!, $password: String!) { logIn(input: { email: $email, \
                     password: $password }) { accessToken organisation { name } userErrors { message } } }";
        let answer = self.client(None).run(query, json!({ "email": email, "password": password })).await;
        let log_in = answer.ok("/data/logIn");
        let mut client = self.client(log_in["accessToken"].as_str());
        client.log_in = log_in.clone();
        client
    }

    /// The first of the demo log-ins.
    async fn ada(&self) -> Client {
        self.log_in("ada@harbour.example", "harbour-demo").await
    }

    async fn status(&self, path: &str) -> u16 {
        reqwest::get(format!("http://{}{path}", self.address)).await.unwrap().status().as_u16()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary on a folder of its own, listening on a free port.
fn private(temporary: &Temporary, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("TESSERA_DATA_DIR", temporary.data_dir()).env("TESSERA_LISTEN", "127.0.0.1:0");
    command
}

/// `gateway serve` with all that it needs.
fn serve_at(url: &str) -> Command {
    let mut command = command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("DATABASE_URL", url).env("TESSERA_TOKEN_KEYS", TOKEN_KEY);
    command
}

/// Where the log of a test's gateways goes.
fn stderr_of(temporary: &Temporary) -> File {
    File::options().create(true).append(true).open(temporary.path.join("stderr")).unwrap()
}

fn log_of(temporary: &Temporary) -> String {
    fs::read_to_string(temporary.path.join("stderr")).unwrap()
}

fn signal(name: &str, process: &str) {
    let sent = Command::new("sh").args(["-c", r#"kill -s "$1" -- "$2""#, "sh", name, process]).status();
    assert!(sent.unwrap().success());
}

/// The processes that another has started; none where there is no `/proc`.
fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    processes.filter(is_child).collect()
}

/// A superuser's connection to the database of a private PostgreSQL, by what is in its folder.
async fn superuser(temporary: &Temporary) -> tokio_postgres::Client {
    let note = fs::read_to_string(temporary.place().join("postgres/postmaster.pid")).unwrap();
    let password = fs::read_to_string(temporary.place().join("password")).unwrap();
    let (port, password) = (note.lines().nth(3).unwrap(), password.trim());
    connect(&format!("postgres://postgres:{password}@127.0.0.1:{port}/tessera")).await
}

/// The ids of all contacts that somebody sees.
async fn contacts(client: &Client) -> BTreeSet<String> {
    let answer = client.run("{ contacts(first: 200) { nodes { id } } }", json!({})).await;
    let nodes = answer.ok("/data/contacts")["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

/// Adds a contact and answers its id.
async fn add(client: &Client) -> String {
    let contact = client.create_contact(json!({ "kind": "COMPANY", "name": "Kept" })).await;
    contact["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_first_start_greets_with_log_ins_that_work_and_see_only_their_own() {
    let temporary = Temporary::new("first-run");
    let gateway = Gateway::run(&temporary, &[]);
    assert!(gateway.address.parse::<SocketAddr>().unwrap().ip().is_loopback());
    let [ada, ben] = <[_; 2]>::try_from(gateway.demo_log_ins()).unwrap();
    let mut seen = Vec::new();
    for [email, password, organisation] in [&ada, &ben] {
        let client = gateway.log_in(email, password).await;
        assert_eq!(client.log_in["organisation"]["name"], **organisation);
        let own = contacts(&client).await;
        assert!(!own.is_empty());
        seen.push((client, own));
    }
    assert!(seen[0].1.is_disjoint(&seen[1].1));
    for (client, others) in [(&seen[0].0, &seen[1].1), (&seen[1].0, &seen[0].1)] {
        let ids: Vec<_> = others.iter().take(100).collect();
        let answer = client.run("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids })).await;
        assert_eq!(*answer.ok("/data/nodes"), json!(vec![Value::Null; ids.len()]));
    }
    gateway.stopped();
}

#[tokio::test]
async fn the_greeting_says_what_to_open_and_what_to_paste() {
    let temporary = Temporary::new("greeting");
    let gateway = Gateway::run(&temporary, &[]);
    let explorer = reqwest::get(format!("http://{}/", gateway.address)).await.unwrap();
    assert_eq!(explorer.status(), 200);
    assert!(explorer.text().await.unwrap().contains("<html"));
    let line = gateway.greeting.lines().map(str::trim).find(|line| line.starts_with("curl ")).unwrap();
    assert_contains(line, &[&format!("http://{}/graphql", gateway.address)]);
    let pasted = Command::new("sh").args(["-c", line]).output().unwrap();
    let answer: Value = match pasted.status.code() {
        // No such program.
        Some(127) => {
            let (_, query) = line.split_once("-d '").unwrap();
            gateway.client(None).send(query.trim_end_matches('\'')).await.body
        }
        _ => serde_json::from_slice(&pasted.stdout).unwrap(),
    };
    assert_eq!(answer["data"]["logIn"]["organisation"]["name"], "Harbour Trading", "{answer}");
    let token = answer["data"]["logIn"]["accessToken"].as_str();
    assert!(!contacts(&gateway.client(token)).await.is_empty());
    gateway.stopped();
}

#[tokio::test]
async fn the_log_is_json_without_secrets() {
    let temporary = Temporary::new("log");
    let gateway = Gateway::run(&temporary, &[]);
    let ada = gateway.ada().await;
    let token = ada.access_token.clone().unwrap();
    contacts(&ada).await;
    // What goes wrong is logged most eagerly.
    let answer = gateway.client(Some(&format!("{token}x"))).run("{ me { id } }", json!({})).await;
    assert_eq!(answer.errors(), ["UNAUTHENTICATED"]);
    let query = r#"mutation { logIn(input: { email: "ada@harbour.example", password: "wrong-secret" }) { userErrors { code } } }"#;
    gateway.client(None).run(query, json!({})).await.at("/data/logIn/userErrors/0");
    superuser(&temporary).await.batch_execute("ALTER TABLE contacts RENAME TO hidden").await.unwrap();
    assert_eq!(ada.run("{ contacts { nodes { id } } }", json!({})).await.errors(), ["INTERNAL"]);
    gateway.stopped();
    let log = log_of(&temporary);
    assert_contains(&log, &["a request failed"]);
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    let password = fs::read_to_string(temporary.place().join("password")).unwrap();
    let key = fs::read_to_string(temporary.data_dir().join("token-key")).unwrap();
    for secret in [password.trim(), key.trim(), &token, "harbour-demo", "orchard-demo", "wrong-secret"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_second_start_takes_no_two_seconds_and_keeps_data_and_log_ins() {
    let temporary = Temporary::new("second-run");
    let gateway = Gateway::run(&temporary, &[]);
    let ada = gateway.ada().await;
    let contact = add(&ada).await;
    let before = contacts(&ada).await;
    gateway.stopped();
    let mut fastest = STARTING;
    // The best of three, because the machine may be busy.
    for _ in 0..3 {
        let gateway = Gateway::run(&temporary, &[]);
        fastest = fastest.min(gateway.ready_after);
        let seen = contacts(&gateway.client(ada.access_token.as_deref())).await;
        assert!(seen.contains(&contact));
        assert_eq!(seen, before);
        gateway.stopped();
    }
    assert!(fastest < Duration::from_secs(2), "{fastest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_answers_what_has_begun_and_leaves_no_process() {
    let temporary = Temporary::new("ctrl-c");
    let gateway = Gateway::run(&temporary, &[]);
    let (server, children) = (temporary.postmaster(), children_of(gateway.child.id()));
    let ada = gateway.ada().await;
    let superuser = superuser(&temporary).await;
    superuser.batch_execute("BEGIN; LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let asking = tokio::spawn(async move { contacts(&ada).await });
    let deadline = Instant::now() + Duration::from_secs(10);
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    while superuser.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(Instant::now() < deadline && !asking.is_finished(), "the request never waited");
    }
    gateway.ctrl_c();
    wait_until("nobody is let in any more", || TcpStream::connect(&gateway.address).is_err());
    assert!(!asking.is_finished());
    superuser.batch_execute("COMMIT").await.unwrap();
    assert!(!asking.await.unwrap().is_empty());
    assert!(gateway.ended().success());
    assert!(!is_alive(server) && !children.into_iter().any(is_alive));
    assert!(!temporary.place().join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn sigterm_leaves_no_process_even_with_idle_connections() {
    let temporary = Temporary::new("sigterm");
    let gateway = Gateway::run(&temporary, &[]);
    let (server, children) = (temporary.postmaster(), children_of(gateway.child.id()));
    // A browser opens connections before it needs them, and keeps them.
    let _unused = TcpStream::connect(&gateway.address).unwrap();
    assert!(!contacts(&gateway.ada().await).await.is_empty());
    gateway.signal("TERM");
    assert!(gateway.ended().success());
    assert!(!is_alive(server) && !children.into_iter().any(is_alive));
}

#[tokio::test]
async fn a_killed_gateway_takes_its_server_along_and_keeps_the_data() {
    let temporary = Temporary::new("killed");
    let gateway = Gateway::run(&temporary, &[]);
    let (server, contact) = (temporary.postmaster(), add(&gateway.ada().await).await);
    gateway.signal("KILL");
    assert!(!gateway.ended().success());
    wait_until("the server ends", || !is_alive(server));
    let gateway = Gateway::run(&temporary, &[]);
    assert!(contacts(&gateway.ada().await).await.contains(&contact));
    // And at once, while the server is still ending.
    let server = temporary.postmaster();
    gateway.signal("KILL");
    drop(gateway);
    let gateway = Gateway::run(&temporary, &[]);
    assert!(!is_alive(server));
    assert!(contacts(&gateway.ada().await).await.contains(&contact));
    gateway.stopped();
}

#[tokio::test]
async fn a_server_left_behind_is_stopped_by_the_next_start() {
    let temporary = Temporary::new("left-behind");
    let gateway = Gateway::run(&temporary, &[]);
    let (server, contact) = (temporary.postmaster(), add(&gateway.ada().await).await);
    let watchdogs: Vec<_> = children_of(gateway.child.id()).into_iter().filter(|child| *child != server).collect();
    if !Path::new("/proc/self").exists() {
        eprintln!("skipped: the watchdog cannot be found without /proc");
        return;
    }
    assert_eq!(watchdogs.len(), 1);
    signal("KILL", &watchdogs[0].to_string());
    gateway.signal("KILL");
    gateway.ended();
    assert!(is_alive(server));
    let gateway = Gateway::run(&temporary, &[]);
    assert!(!is_alive(server));
    assert!(contacts(&gateway.ada().await).await.contains(&contact));
    gateway.stopped();
}

#[tokio::test]
async fn reset_starts_over() {
    let temporary = Temporary::new("reset");
    let gateway = Gateway::run(&temporary, &[]);
    let ada = gateway.ada().await;
    let demo = contacts(&ada).await;
    add(&ada).await;
    gateway.stopped();
    fs::write(temporary.data_dir().join("letter"), "mine").unwrap();
    let gateway = Gateway::run(&temporary, &["--reset"]);
    let answer = gateway.client(ada.access_token.as_deref()).run("{ me { id } }", json!({})).await;
    assert_eq!((answer.status, answer.errors()), (401, vec!["UNAUTHENTICATED".to_owned()]));
    let again = contacts(&gateway.ada().await).await;
    assert_eq!(again.len(), demo.len());
    assert!(again.is_disjoint(&demo));
    assert!(temporary.data_dir().join("letter").is_file());
    gateway.stopped();
}

#[tokio::test]
async fn a_second_gateway_on_the_folder_is_refused_and_harms_nothing() {
    let temporary = Temporary::new("twice");
    let gateway = Gateway::run(&temporary, &[]);
    let ada = gateway.ada().await;
    let holder = format!("(process {})", gateway.child.id());
    for arguments in [&[][..], &["--reset"]] {
        let complaint = complaint(&mut private(&temporary, arguments));
        assert_contains(&complaint, &["TESSERA_DATA_DIR", &holder]);
    }
    assert!(temporary.data_dir().join("token-key").is_file());
    assert!(!contacts(&ada).await.is_empty());
    gateway.stopped();
}

#[test]
fn a_taken_port_is_told_before_anything_is_made() {
    let temporary = Temporary::new("taken");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let complaint = complaint(private(&temporary, &[]).env("TESSERA_LISTEN", &address));
    assert_contains(&complaint, &[&address, "TESSERA_LISTEN", "--listen"]);
    assert!(!temporary.data_dir().exists());
}

#[test]
fn print_schema_prints_schema_graphql() {
    assert_eq!(said(&mut command(&["print-schema"])), include_str!("../../schema.graphql"));
}

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
    Gateway::serve(&temporary, &url).stopped();
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
    let url = cluster.url("gate", "tess").replace(&format!(":{}/", cluster.port()), &format!(":{forwarder}/"));
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
