//! The real binary, as a person starts it: everything on this machine.

mod demo;
pub(crate) mod process;
mod programs;
mod served;

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use self::process::{
    Gateway, STARTING, assert_contains, children_of, command, complaint, log_of, private, said, signal,
};
use crate::{
    cluster::{Temporary, is_alive, wait_until},
    door::eventually,
    harness::{Client, connect},
};

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
        let answer =
            client.run("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": ids })).await;
        assert_eq!(*answer.ok("/data/nodes"), json!(vec![Value::Null; ids.len()]));
    }
    gateway.stopped();
}

#[tokio::test]
async fn the_greeting_says_what_to_open_and_what_to_paste() {
    let temporary = demo::loaded("greeting");
    let gateway = Gateway::run(&temporary, &[]);
    let explorer = crate::harness::http().get(format!("http://{}/", gateway.address)).send().await.unwrap();
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
    assert_eq!(answer["data"]["logIn"]["logIn"]["organisation"]["name"], "Harbour Trading", "{answer}");
    let token = answer["data"]["logIn"]["logIn"]["accessToken"].as_str();
    assert!(!contacts(&gateway.client(token)).await.is_empty());
    gateway.stopped();
}

#[tokio::test]
async fn the_log_is_json_without_secrets() {
    let temporary = demo::loaded("log");
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
    let temporary = demo::loaded("second-run");
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
    let temporary = demo::loaded("ctrl-c");
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
    // Time enough to end in, for one that does not wait.
    thread::sleep(Duration::from_millis(500));
    assert!(!asking.is_finished());
    superuser.batch_execute("COMMIT").await.unwrap();
    assert!(!asking.await.unwrap().is_empty());
    assert!(gateway.ended().success());
    assert!(!is_alive(server) && !children.into_iter().any(is_alive));
    assert!(!temporary.place().join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn sigterm_leaves_no_process_even_with_idle_connections() {
    let temporary = demo::loaded("sigterm");
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
    let temporary = demo::loaded("killed");
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
    let temporary = demo::loaded("left-behind");
    let gateway = Gateway::run(&temporary, &[]);
    let (server, contact) = (temporary.postmaster(), add(&gateway.ada().await).await);
    let watchdogs: Vec<_> =
        children_of(gateway.child.id()).into_iter().filter(|child| *child != server).collect();
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
async fn a_first_start_that_was_cut_short_is_made_up_for() {
    let temporary = Temporary::new("cut-short");
    // Again and again, so that what the one before was doing is still going on.
    for _ in 0..3 {
        let mut cut = private(&temporary, &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let holder = format!("{}\n", cut.id());
        wait_until("the data folder is being made", || {
            fs::read_to_string(temporary.data_dir().join("lock")).is_ok_and(|lock| lock == holder)
                && temporary.holds("postgres.new")
        });
        cut.kill().unwrap();
        cut.wait().unwrap();
    }
    let gateway = Gateway::run(&temporary, &[]);
    assert!(!contacts(&gateway.ada().await).await.is_empty());
    assert!(!temporary.holds("postgres.new"));
    gateway.stopped();
}

#[tokio::test]
async fn mail_of_the_demo_is_laid_into_a_file_and_its_link_can_be_followed() {
    let temporary = demo::loaded("mail");
    let gateway = Gateway::run(&temporary, &[]);
    let ada = gateway.ada().await;
    ada.invite("grace@harbour.example").await;
    let folder = temporary.data_dir().join("mail");
    let mut found = String::new();
    eventually("the mail is there", async || {
        let files = fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path());
        let whole = files.filter(|path| path.extension().is_some_and(|kind| kind == "eml"));
        let mails = whole.map(|path| fs::read_to_string(path).unwrap());
        found = mails.filter(|mail| mail.contains("grace@harbour.example")).collect();
        !found.is_empty()
    })
    .await;
    // As quoted-printable has it: lines go on behind a `=`.
    let text = found.replace("=\r\n", "").replace("=3D", "=");
    let (_, token) = text.split_once("accept-invitation?token=").unwrap();
    let token = token.split(|c: char| c.is_whitespace() || c == '"').next().unwrap();
    let accept = "mutation ($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { \
                  logIn { user { email } organisation { name } } userErrors { code message field } } }";
    let input = json!({ "token": token, "password": "a password of hers" });
    let answer = gateway.client(None).mutate(accept, input).await;
    let expected = json!({
        "user": { "email": "grace@harbour.example" }, "organisation": { "name": "Harbour Trading" },
    });
    assert_eq!(*answer.logged_in("acceptInvitation"), expected);
    gateway.stopped();
}

#[tokio::test]
async fn reset_starts_over() {
    let temporary = demo::loaded("reset");
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
    let temporary = demo::loaded("twice");
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
fn ctrl_c_right_after_the_greeting_ends_as_promised() {
    let temporary = demo::loaded("hasty");
    let gateway = Gateway::run(&temporary, &[]);
    let server = temporary.postmaster();
    gateway.ctrl_c();
    assert!(gateway.ended().success());
    assert!(!is_alive(server));
}

#[tokio::test]
async fn a_request_that_never_comes_to_its_end_does_not_hold_up_the_end() {
    let temporary = demo::loaded("half-sent");
    let gateway = Gateway::run(&temporary, &[]);
    let mut half_sent = TcpStream::connect(&gateway.address).unwrap();
    half_sent.write_all(b"POST /graphql HTTP/1.1\r\nhost: tessera\r\n").unwrap();
    assert_eq!(gateway.status("/healthz").await, 200);
    gateway.stopped();
}

#[test]
fn a_taken_port_is_told_before_anything_is_made() {
    let temporary = Temporary::new("taken");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let by_variable = complaint(private(&temporary, &[]).env("TESSERA_LISTEN", &address));
    let by_flag = complaint(&mut private(&temporary, &["--listen", &address]));
    for complaint in [by_variable, by_flag] {
        assert_contains(&complaint, &[&address, "TESSERA_LISTEN", "--listen"]);
    }
    assert!(!temporary.data_dir().exists());
}

#[test]
fn print_schema_prints_schema_graphql() {
    assert_eq!(said(&mut command(&["print-schema"])), include_str!("../../schema.graphql"));
}
