//! Starts PostgreSQL on a free port and waits until it answers.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::error::{ClusterError, Doing};
use super::folder::Folder;
use super::guard::{Guarded, wait_until};
use super::identity::Identity;
use super::leftovers::Postmaster;
use super::log::Log;
use super::programs::Programs;

/// How long a server may take to answer: after a crash it first replays its write-ahead log.
const STARTING: Duration = Duration::from_secs(120);

/// How long the child processes of a killed server may take to end.
const ORPHANS_LEAVING: Duration = Duration::from_secs(20);

/// How often another port is tried, if another process takes the free port first.
const PORTS_TRIED: u32 = 5;

/// PostgreSQL's message for a port in use.
const PORT_TAKEN: &str = "Address already in use";

/// PostgreSQL's message for data that processes of a killed server still use.
const DATA_IN_USE: &str = "is still in use";

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    process: Guarded,
    pub(super) port: u16,
}

impl Server {
    /// Starts a server; `choose_port` is [`free_port`] except in tests.
    pub(super) fn start(
        folder: &Folder,
        identity: &Identity,
        programs: &Programs,
        log: &mut Log,
        durable: bool,
        mut choose_port: impl FnMut() -> io::Result<u16>,
    ) -> Result<Server, ClusterError> {
        let data = folder.data();
        let begun = Instant::now();
        let mut ports_left = PORTS_TRIED;
        loop {
            let port = choose_port().doing("find a free port for", &data)?;
            let mut command = server_command(identity, programs, &data, port, durable);
            log.take_output_of(&mut command)?;
            let mut process = Guarded::start(identity, command).doing("run", &programs.postgres())?;
            if answers(&mut process, &data) {
                return Ok(Server { process, port });
            }
            drop(process);
            let tail = log.tail();
            if tail.contains(PORT_TAKEN) && ports_left > 1 {
                ports_left -= 1;
            } else if tail.contains(DATA_IN_USE) && begun.elapsed() < ORPHANS_LEAVING {
                thread::sleep(Duration::from_millis(200));
            } else {
                return Err(ClusterError::NotStarted { log: log.path.clone(), tail });
            }
        }
    }

    /// Stops the server and waits until it is down.
    pub(super) fn stop(&mut self, folder: &Folder) -> Result<(), ClusterError> {
        if self.process.stop() {
            return Ok(());
        }
        Err(ClusterError::NotStopped { pid: self.process.pid(), folder: folder.data() })
    }
}

/// The command with all settings. They are passed at each start, so that none depends on the version of
/// Tessera that created the data folder.
fn server_command(
    identity: &Identity,
    programs: &Programs,
    data: &Path,
    port: u16,
    durable: bool,
) -> Command {
    let mut command = identity.gated(&programs.postgres());
    command.arg("-D").arg(data);
    let port = format!("port={port}");
    let settings = [
        port.as_str(),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200",
        "log_destination=stderr",
        "logging_collector=off",
        // A new database fills quickly, and PostgreSQL plans badly for tables without statistics.
        "autovacuum_naptime=5s",
    ];
    let unsafe_but_fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
    let fast = unsafe_but_fast.iter().filter(|_| !durable);
    for setting in settings.iter().chain(fast) {
        command.args(["-c", setting]);
    }
    command
}

/// Waits until the PID file says that the server accepts connections. Returns false if it ends or takes
/// too long.
fn answers(process: &mut Guarded, data: &Path) -> bool {
    let note = data.join("postmaster.pid");
    let is_ready = |pid| {
        fs::read_to_string(&note)
            .ok()
            .and_then(|text| Postmaster::parse(&text))
            .is_some_and(|postmaster| postmaster.pid == pid && postmaster.is_ready)
    };
    let mut ready = false;
    wait_until(STARTING, || {
        ready = is_ready(process.pid());
        ready || !matches!(process.ended(), Ok(None))
    });
    ready
}

/// A free port; PostgreSQL cannot choose one itself.
pub(super) fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{leftovers, make, search};

    /// Creates a cluster and starts it on ports chosen by the test. None without PostgreSQL.
    fn start_on(
        name: &str,
        choose_port: impl FnMut() -> io::Result<u16>,
    ) -> Option<Result<Server, ClusterError>> {
        let identity = Identity::find().unwrap();
        let programs = search::find(&identity, Path::new(name), None).ok()?;
        let path = std::env::temp_dir().join(format!("tessera-{name}-{}", std::process::id()));
        let folder = Folder::take(&path, false, &identity).unwrap();
        leftovers::mend(&folder, &identity).unwrap();
        let mut log = Log::open(folder.log());
        make::make_data(&folder, &identity, &programs, &mut log, false).unwrap();
        let mut started = Server::start(&folder, &identity, &programs, &mut log, false, choose_port);
        if let Ok(server) = &mut started {
            server.stop(&folder).unwrap();
        }
        folder.delete().unwrap();
        Some(started)
    }

    #[test]
    fn another_port_is_tried_when_one_is_taken_first() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = taken.local_addr().map(|address| (taken, address.port())).unwrap();
        let free = free_port().unwrap();
        let mut ports = [taken.1, taken.1, free].into_iter();
        if let Some(started) = start_on("one-taken", || Ok(ports.next().unwrap())) {
            assert_eq!(started.unwrap().port, free);
        }
    }

    #[test]
    fn ports_are_not_tried_for_ever() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let mut tried = 0;
        let started = start_on("all-taken", || {
            tried += 1;
            Ok(port)
        });
        if let Some(started) = started {
            assert!(started.unwrap_err().to_string().contains(PORT_TAKEN));
            assert_eq!(tried, PORTS_TRIED);
        }
    }
}
