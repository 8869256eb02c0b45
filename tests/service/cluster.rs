//! The private PostgreSQL: what it makes of a folder in any state, and what it refuses.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use gateway::cluster::{Cluster, ClusterError, Settings, remove};
use uuid::Uuid;

use crate::harness::connect;

/// A folder of a test's own; it goes with the test, and so does the cluster in it.
pub(crate) struct Temporary {
    pub(crate) path: PathBuf,
}

impl Temporary {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("{name}-{}", Uuid::now_v7().simple());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir(&path).unwrap();
        Self { path }
    }

    /// The folder given to the cluster; not made yet.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Where the cluster keeps its files: elsewhere if PostgreSQL's user cannot reach the folder.
    pub(crate) fn place(&self) -> PathBuf {
        match fs::read_to_string(self.data_dir().join("WHERE")) {
            Ok(place) => place.trim().into(),
            Err(_) => self.data_dir(),
        }
    }

    /// The process of the server, as PostgreSQL noted it.
    pub(crate) fn postmaster(&self) -> u32 {
        let note = fs::read_to_string(self.place().join("postgres/postmaster.pid")).unwrap();
        note.lines().next().unwrap().parse().unwrap()
    }

    /// Whether something with a name that begins so is in the cluster's folder.
    pub(crate) fn holds(&self, start: &str) -> bool {
        let entries = fs::read_dir(self.place()).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(start))
    }

    fn start(&self) -> Cluster {
        self.try_start().unwrap()
    }

    fn try_start(&self) -> Result<Cluster, ClusterError> {
        Cluster::start(&Settings { folder: self.data_dir(), durable: false, wait: false })
    }

    fn refusal(&self) -> String {
        self.try_start().unwrap_err().to_string()
    }

    /// Leaves a note of a running server behind, as its own user would have written it.
    fn plant_note(&self, text: &str) {
        let data = self.place().join("postgres");
        let note = data.join("postmaster.pid");
        fs::write(&note, text).unwrap();
        chown(&note, Some(fs::metadata(&data).unwrap().uid()), None).unwrap();
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // A test may have made the folder unusable; then its files are all there is to clear away.
        let _ = remove(&self.data_dir());
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether a process runs; one that nobody has waited for yet does not.
pub(crate) fn is_alive(pid: u32) -> bool {
    if Path::new("/proc/self").exists() {
        return fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty());
    }
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    !state.stdout.is_empty() && !state.stdout.starts_with(b"Z")
}

/// Waits for what other processes do; fails after a while.
pub(crate) fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_true() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Root alone can make what these tests are about.
pub(crate) fn is_root(temporary: &Temporary) -> bool {
    let is_root = fs::metadata(&temporary.path).unwrap().uid() == 0;
    if !is_root {
        eprintln!("skipped: only root can do this");
    }
    is_root
}

/// Note of a server: its process, and the lines that PostgreSQL writes behind it.
fn note_of(pid: u32, temporary: &Temporary) -> String {
    let data = temporary.place().join("postgres");
    format!("{pid}\n{}\n1763683200\n40417\n\n127.0.0.1\n  37 0\nready   \n", data.display())
}

/// The folder of a cluster that was stopped, with a row in it.
async fn stopped(name: &str) -> Temporary {
    let temporary = Temporary::new(name);
    let cluster = temporary.start();
    let superuser = connect(&cluster.admin_url("postgres")).await;
    superuser.batch_execute("CREATE TABLE kept AS SELECT 'a row' AS line").await.unwrap();
    cluster.stop().unwrap();
    temporary
}

/// Whether the row is there.
async fn has_kept(cluster: &Cluster) -> bool {
    let superuser = connect(&cluster.admin_url("postgres")).await;
    let found = superuser.query_one("SELECT to_regclass('kept') IS NOT NULL", &[]).await.unwrap();
    if !found.get::<_, bool>(0) {
        return false;
    }
    let line: String = superuser.query_one("SELECT line FROM kept", &[]).await.unwrap().get(0);
    line == "a row"
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[tokio::test]
async fn a_second_start_keeps_data_and_password() {
    let temporary = Temporary::new("second-start");
    let cluster = temporary.start();
    let password = cluster.password().to_owned();
    let superuser = connect(&cluster.admin_url("postgres")).await;
    superuser.batch_execute("CREATE TABLE kept AS SELECT 'a row' AS line").await.unwrap();
    let server = temporary.postmaster();
    // Dropped, not stopped: the server must be down all the same.
    drop(cluster);
    assert!(!is_alive(server));
    let cluster = temporary.start();
    assert_eq!(cluster.password(), password);
    assert!(has_kept(&cluster).await);
}

#[tokio::test]
async fn the_password_and_the_data_are_closed_to_others() {
    let temporary = Temporary::new("closed");
    let cluster = temporary.start();
    assert_eq!(mode(&temporary.place().join("password")), 0o600);
    assert_eq!(mode(&temporary.place().join("postgres")), 0o700);
    assert_eq!(mode(&temporary.place().join("postgres.log")), 0o600);
    let wrong = cluster.admin_url("postgres").replace(cluster.password(), "wrong");
    assert!(tokio_postgres::connect(&wrong, tokio_postgres::NoTls).await.is_err());
}

#[tokio::test]
async fn an_empty_pid_file_is_mended() {
    let temporary = stopped("empty-note").await;
    temporary.plant_note("");
    assert!(has_kept(&temporary.start()).await);
}

#[tokio::test]
async fn the_pid_file_of_a_dead_process_is_mended() {
    let temporary = stopped("stale-note").await;
    let mut dead = Command::new("true").spawn().unwrap();
    dead.wait().unwrap();
    temporary.plant_note(&note_of(dead.id(), &temporary));
    assert!(has_kept(&temporary.start()).await);
}

#[tokio::test]
async fn a_stranger_in_the_pid_file_is_left_alone() {
    let temporary = stopped("stranger").await;
    // The same user as PostgreSQL's, which could end it.
    let user = fs::metadata(temporary.place().join("postgres")).unwrap().uid();
    let mut stranger = Command::new("sleep").arg("60").uid(user).current_dir("/").spawn().unwrap();
    temporary.plant_note(&note_of(stranger.id(), &temporary));
    let started = temporary.try_start();
    let lives_on = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(lives_on);
    assert!(has_kept(&started.unwrap()).await);
}

#[tokio::test]
async fn a_half_made_folder_is_swept() {
    let temporary = stopped("half-made").await;
    let place = temporary.place();
    // As if the first start had been killed.
    fs::rename(place.join("postgres"), place.join("postgres.new-1")).unwrap();
    fs::remove_file(place.join("postgres.new-1/tessera.complete")).unwrap();
    let cluster = temporary.start();
    assert!(!has_kept(&cluster).await);
    assert!(!temporary.holds("postgres.new"));
}

#[tokio::test]
async fn a_folder_that_is_not_whole_is_put_aside() {
    let temporary = stopped("not-whole").await;
    let place = temporary.place();
    fs::remove_file(place.join("postgres/tessera.complete")).unwrap();
    let cluster = temporary.start();
    assert!(place.join("postgres.broken-1/PG_VERSION").is_file());
    assert!(!has_kept(&cluster).await);
    cluster.stop().unwrap();
    // What was put aside can be saved by hand.
    fs::rename(place.join("postgres"), place.join("postgres.broken-2")).unwrap();
    fs::rename(place.join("postgres.broken-1"), place.join("postgres")).unwrap();
    fs::write(place.join("postgres/tessera.complete"), "").unwrap();
    assert!(has_kept(&temporary.start()).await);
}

#[tokio::test]
async fn data_of_another_version_is_refused_untouched() {
    let temporary = stopped("other-version").await;
    let version = temporary.place().join("postgres/PG_VERSION");
    let ours = fs::read_to_string(&version).unwrap();
    // Nobody has this one installed.
    fs::write(&version, "8\n").unwrap();
    let refusal = temporary.refusal();
    let wanted = ["PostgreSQL 8", &format!("PostgreSQL {}", ours.trim()), "--reset", "TESSERA_DATA_DIR"];
    for part in wanted {
        assert!(refusal.contains(part), "{part} is not in: {refusal}");
    }
    fs::write(&version, ours).unwrap();
    assert!(has_kept(&temporary.start()).await);
}

#[tokio::test]
async fn a_lost_or_damaged_password_is_replaced_for_all_roles() {
    let temporary = Temporary::new("password");
    let mut cluster = temporary.start();
    let role = format!("CREATE ROLE somebody LOGIN PASSWORD '{}'", cluster.password());
    connect(&cluster.admin_url("postgres")).await.batch_execute(&role).await.unwrap();
    let file = temporary.place().join("password");
    let damages: [fn(&Path); 2] =
        [|file| fs::remove_file(file).unwrap(), |file| fs::write(file, "not one of ours").unwrap()];
    for damage in damages {
        let before = cluster.password().to_owned();
        cluster.stop().unwrap();
        damage(&file);
        cluster = temporary.start();
        assert_ne!(cluster.password(), before);
        assert_eq!(fs::read_to_string(&file).unwrap().trim(), cluster.password());
        assert_eq!(mode(&file), 0o600);
        for role in ["postgres", "somebody"] {
            connect(&cluster.url(role, "postgres")).await.simple_query("SELECT 1").await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_opened_folder_is_closed_again() {
    let temporary = stopped("opened").await;
    let data = temporary.place().join("postgres");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(has_kept(&temporary.start()).await);
    assert_eq!(mode(&data), 0o700);
}

#[tokio::test]
async fn only_one_holds_the_folder() {
    let temporary = stopped("busy").await;
    let cluster = temporary.start();
    let refusal = temporary.refusal();
    for part in ["TESSERA_DATA_DIR", &format!("(process {})", std::process::id())] {
        assert!(refusal.contains(part), "{part} is not in: {refusal}");
    }
    assert!(matches!(remove(&temporary.data_dir()), Err(ClusterError::Busy { .. })));
    assert!(has_kept(&cluster).await);
}

#[tokio::test]
async fn who_waits_gets_the_folder_next() {
    let temporary = stopped("waiting").await;
    let cluster = temporary.start();
    let settings = Settings { folder: temporary.data_dir(), durable: false, wait: true };
    let (started, wait) = channel();
    let waiting = thread::spawn(move || started.send(Cluster::start(&settings)).unwrap());
    // Longer than those are given who do not want to wait.
    assert!(matches!(wait.recv_timeout(Duration::from_millis(800)), Err(RecvTimeoutError::Timeout)));
    assert!(has_kept(&cluster).await);
    cluster.stop().unwrap();
    let next = wait.recv_timeout(Duration::from_secs(20)).unwrap().unwrap();
    waiting.join().unwrap();
    assert!(has_kept(&next).await);
}

#[tokio::test]
async fn remove_deletes_what_is_ours_and_keeps_the_rest() {
    let temporary = stopped("remove").await;
    let (folder, place) = (temporary.data_dir(), temporary.place());
    fs::create_dir(folder.join("letters")).unwrap();
    for name in ["letters/first", "postgresql.conf", "passwords"] {
        fs::write(folder.join(name), "mine").unwrap();
    }
    remove(&folder).unwrap();
    let mut left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["letters", "passwords", "postgresql.conf"]);
    assert_eq!(fs::read(folder.join("letters/first")).unwrap(), b"mine");
    assert!(!place.join("postgres").exists());
    // With nothing of anybody's in it, the folder itself goes.
    fs::remove_dir_all(&folder).unwrap();
    temporary.start().stop().unwrap();
    remove(&folder).unwrap();
    assert!(!folder.exists());
    remove(&folder).unwrap();
}

#[tokio::test]
async fn a_folder_in_a_closed_one_keeps_its_data_elsewhere() {
    let temporary = Temporary::new("closed-parent");
    if !is_root(&temporary) {
        return;
    }
    fs::set_permissions(&temporary.path, fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = temporary.start();
    let place = temporary.place();
    assert!(place.starts_with("/var/tmp"), "{}", place.display());
    assert!(place.join("postgres/PG_VERSION").is_file());
    let purpose = fs::read_to_string(place.join("FOR")).unwrap();
    assert_eq!(Path::new(purpose.trim()), fs::canonicalize(temporary.data_dir()).unwrap());
    let superuser = connect(&cluster.admin_url("postgres")).await;
    superuser.batch_execute("CREATE TABLE kept AS SELECT 'a row' AS line").await.unwrap();
    cluster.stop().unwrap();
    assert!(has_kept(&temporary.start()).await);
    remove(&temporary.data_dir()).unwrap();
    assert!(!place.exists());
    assert!(!temporary.data_dir().exists());
}

#[tokio::test]
async fn somebody_elses_data_is_refused_untouched() {
    let temporary = Temporary::new("foreign");
    if !is_root(&temporary) {
        return;
    }
    let data = temporary.data_dir().join("postgres");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "15\n").unwrap();
    chown(&data, Some(7777), Some(7777)).unwrap();
    let refusal = temporary.refusal();
    for part in ["7777", "chown -R", "TESSERA_DATA_DIR"] {
        assert!(refusal.contains(part), "{part} is not in: {refusal}");
    }
    assert_eq!(fs::read_to_string(data.join("PG_VERSION")).unwrap(), "15\n");
}
