//! The binary as a child of the test, and what is seen of it from outside.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{OnceLock, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    cluster::{Temporary, wait_until},
    harness::{Client, TOKEN_KEY},
};

/// How long a start may take on a busy machine.
pub(super) const STARTING: Duration = Duration::from_secs(60);

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
        // Cargo describes the test's package to the test by variables. Build scripts of libraries
        // read them too, and run again when they change: now, and at the next plain `cargo build`.
        let of_package = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "CARGO_CRATE_"];
        for (name, _) in std::env::vars_os() {
            if of_package.iter().any(|ours| name.to_string_lossy().starts_with(ours)) {
                cargo.env_remove(name);
            }
        }
        cargo.args(["build", "--quiet", "--package", "gateway", "--profile", profile, "--target-dir"]);
        let status = cargo.arg(built.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(status.unwrap().success(), "the gateway cannot be built");
        built.join("gateway")
    })
}

/// The binary with nothing set that the tests' own caller may have set, but for the choice of
/// PostgreSQL's programs.
pub(super) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        let is_ours =
            ["DATABASE_", "TESSERA_", "PG"].iter().any(|ours| name.to_string_lossy().starts_with(ours));
        if is_ours && name != "TESSERA_POSTGRES" {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    command
}

/// What a command that ends by itself says on standard output.
pub(super) fn said(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// The sentence of a command that fails, behind the log.
pub(super) fn complaint(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert_eq!(status.code(), Some(1), "{stdout}{stderr}");
    let sentence = stderr.lines().skip_while(|line| line.starts_with('{')).collect::<Vec<_>>().join("\n");
    assert!(sentence.starts_with("gateway: "), "{stderr}");
    sentence
}

#[track_caller]
pub(super) fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// A gateway that runs; killed when the test ends before it.
pub(crate) struct Gateway {
    pub(crate) child: Child,
    /// What it has printed until it was ready.
    pub(super) greeting: String,
    /// The address it prints or logs, as `127.0.0.1:port`.
    pub(crate) address: String,
    /// How long that took.
    pub(super) ready_after: Duration,
}

impl Gateway {
    /// Everything on this machine, as `cargo run` does it, until the greeting.
    pub(super) fn run(temporary: &Temporary, arguments: &[&str]) -> Self {
        Self::running(temporary, private(temporary, arguments), STARTING)
    }

    /// A command that does so.
    pub(super) fn running(temporary: &Temporary, mut command: Command, patience: Duration) -> Self {
        let begun = Instant::now();
        let mut child = command.stdout(Stdio::piped()).stderr(stderr_of(temporary)).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut gateway = Self::of(child);
        let (send, receive) = channel();
        // Reads on to the end, so that the gateway never waits for us.
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| drop(send.send(line))));
        while !gateway.greeting.contains("Ctrl-C stops") {
            match receive.recv_timeout(patience.saturating_sub(begun.elapsed())) {
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
    pub(super) fn serve(temporary: &Temporary, database_url: &str) -> Self {
        Self::serving(temporary, serve_at(database_url))
    }

    /// A command that serves, until it logs that it listens; the folder's first.
    pub(crate) fn serving(temporary: &Temporary, mut command: Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(stderr_of(temporary)).spawn().unwrap();
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
    pub(super) fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// As the terminal does it: SIGINT to the whole process group.
    pub(super) fn ctrl_c(&self) {
        signal("INT", &format!("-{}", self.child.id()));
    }

    /// Waits for the end.
    pub(super) fn ended(mut self) -> ExitStatus {
        wait_until("the gateway ends", || self.child.try_wait().unwrap().is_some());
        self.child.wait().unwrap()
    }

    pub(crate) fn stopped(self) {
        self.signal("TERM");
        assert!(self.ended().success());
    }

    /// E-mail, password and organisation of each demo log-in, as greeted.
    pub(super) fn demo_log_ins(&self) -> Vec<[String; 3]> {
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
    pub(super) fn client(&self, access_token: Option<&str>) -> Client {
        let mut client = Client::of(&format!("http://{}", self.address));
        client.access_token = access_token.map(str::to_owned);
        client
    }

    pub(super) async fn log_in(&self, email: &str, password: &str) -> Client {
        let query = "mutation ($email: String!, $password: String!) { logIn(input: { email: $email, \
                     password: $password }) { logIn { accessToken organisation { name } } userErrors { message } } }";
        let answer = self.client(None).run(query, json!({ "email": email, "password": password })).await;
        let log_in = answer.logged_in("logIn");
        let mut client = self.client(log_in["accessToken"].as_str());
        client.log_in = log_in.clone();
        client
    }

    /// The first of the demo log-ins.
    pub(super) async fn ada(&self) -> Client {
        self.log_in("ada@harbour.example", "harbour-demo").await
    }

    pub(super) async fn status(&self, path: &str) -> u16 {
        crate::harness::http()
            .get(format!("http://{}{path}", self.address))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
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
pub(super) fn private(temporary: &Temporary, arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("TESSERA_DATA_DIR", temporary.data_dir()).env("TESSERA_LISTEN", "127.0.0.1:0");
    command
}

/// `gateway serve` with all that it needs.
pub(crate) fn serve_at(url: &str) -> Command {
    let mut command = command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("DATABASE_URL", url).env("TESSERA_TOKEN_KEYS", TOKEN_KEY);
    command
}

/// Where the log of a test's gateways goes.
fn stderr_of(temporary: &Temporary) -> File {
    File::options().create(true).append(true).open(temporary.path.join("stderr")).unwrap()
}

pub(super) fn log_of(temporary: &Temporary) -> String {
    fs::read_to_string(temporary.path.join("stderr")).unwrap()
}

pub(super) fn signal(name: &str, process: &str) {
    let sent = Command::new("sh").args(["-c", r#"kill -s "$1" -- "$2""#, "sh", name, process]).status();
    assert!(sent.unwrap().success());
}

/// The processes that another has started; none where there is no `/proc`.
pub(super) fn children_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_child = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        fields.split_whitespace().nth(1) == Some(&parent.to_string())
    };
    processes.filter(is_child).collect()
}
