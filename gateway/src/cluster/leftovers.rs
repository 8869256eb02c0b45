//! Cleans up after a killed run.
//!
//! Called with the folder locked, so no running Tessera uses the folder.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::error::{ClusterError, Doing};
use super::folder::{Folder, delete_all};
use super::guard::wait_until;
use super::identity::Identity;

/// How long a leftover server may take to stop, by SIGINT and then by SIGQUIT.
const SHUTDOWNS: [(&str, Duration); 2] =
    [("INT", Duration::from_secs(30)), ("QUIT", Duration::from_secs(10))];

/// How long the children of a killed `initdb` may keep writing during the deletion.
const SWEEPING: Duration = Duration::from_secs(5);

/// Cleans up, so that a server can be started or the data folder can be created.
pub(super) fn mend(folder: &Folder, identity: &Identity) -> Result<(), ClusterError> {
    check_access(folder, identity)?;
    stop_server(folder, identity)?;
    sweep_half_made(folder)?;
    let data = folder.data();
    if folder.is_complete() {
        // PostgreSQL refuses a data folder that other users can read, as after a copy or a `chmod`.
        return fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).doing("close to others", &data);
    }
    if data.exists() && fs::remove_dir(&data).is_err() {
        set_aside(&data)?;
    }
    Ok(())
}

/// Refuses data that belongs to another user or is unreachable, with a better message than PostgreSQL's.
fn check_access(folder: &Folder, identity: &Identity) -> Result<(), ClusterError> {
    let data = folder.data();
    let Ok(found) = fs::metadata(&data) else {
        return Ok(());
    };
    if found.uid() != identity.uid {
        return Err(ClusterError::ForeignFolder {
            path: data,
            owner: found.uid(),
            runner: identity.name.clone(),
        });
    }
    if !identity.reaches(&folder.place) {
        return Err(ClusterError::Unreachable { path: data, user: identity.name.clone() });
    }
    Ok(())
}

/// Stops a server that outlived its gateway, and removes a PID file that does not name a server of this
/// folder.
pub(super) fn stop_server(folder: &Folder, identity: &Identity) -> Result<(), ClusterError> {
    let data = folder.data();
    let note = data.join("postmaster.pid");
    let Ok(text) = fs::read(&note) else {
        return Ok(());
    };
    let Some(Postmaster { pid, .. }) = Postmaster::parse(&String::from_utf8_lossy(&text)) else {
        // The server was killed while it wrote the PID file. PostgreSQL asks for its deletion.
        return delete_all(&note);
    };
    let is_running = || look_at(pid, &data) == Process::Server;
    if is_running() {
        tracing::info!(pid, "Stopping a PostgreSQL server that an earlier run left behind");
        let stopped = SHUTDOWNS.iter().any(|(signal, patience)| {
            identity.signal(signal, pid);
            wait_until(*patience, || !is_running())
        });
        if !stopped {
            return Err(ClusterError::NotStopped { pid, folder: data });
        }
    }
    // PostgreSQL itself handles the PID file of a dead process, with more checks than this code. But it
    // mistakes a zombie, or an unrelated process with the same id, for a server.
    match look_at(pid, &data) {
        Process::Other => delete_all(&note),
        Process::None | Process::Server => Ok(()),
    }
}

/// Deletes what a killed `initdb` left; its last child may still write a file or two.
pub(super) fn sweep_half_made(folder: &Folder) -> Result<(), ClusterError> {
    for half_made in folder.all_half_made()? {
        let mut result = Ok(());
        wait_until(SWEEPING, || {
            result = delete_all(&half_made);
            // Waiting does not help against missing permissions.
            matches!(result, Ok(()) | Err(ClusterError::NotWritable { .. }))
        });
        result?;
    }
    Ok(())
}

/// Renames a data folder that is incomplete or was not created by Tessera. It is not deleted, because it
/// may contain data that can be recovered.
fn set_aside(data: &Path) -> Result<(), ClusterError> {
    let aside = (1_u32..)
        .map(|number| data.with_extension(format!("broken-{number}")))
        .find(|path| !path.exists())
        .unwrap_or_default();
    tracing::warn!(
        aside = %aside.display(),
        "The data folder is not whole, so it was put aside and a new one is made"
    );
    fs::rename(data, &aside).doing("put aside", data)
}

/// The content of the PID file `postmaster.pid`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Postmaster {
    pub(super) pid: u32,
    /// Whether the server accepts connections.
    pub(super) is_ready: bool,
}

impl Postmaster {
    /// Parses the file: the first line is the process id (negative in single-user mode), the eighth the
    /// state. It is written in steps, so lines may be missing.
    pub(super) fn parse(text: &str) -> Option<Postmaster> {
        let pid = text.lines().next()?.trim().trim_start_matches('-');
        Some(Postmaster {
            pid: pid.parse().ok().filter(|pid| *pid != 0)?,
            is_ready: text.lines().nth(7).is_some_and(|state| state.trim() == "ready"),
        })
    }
}

/// The process that has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    /// No process.
    None,
    /// A server of this data folder.
    Server,
    /// Another process, or a zombie.
    Other,
}

/// Whether a process is a server of this data folder; PostgreSQL servers of other folders are not.
fn look_at(pid: u32, data: &Path) -> Process {
    let process = PathBuf::from(format!("/proc/{pid}"));
    if !Path::new("/proc/self").exists() {
        return look_at_with_ps(pid, data);
    }
    let Ok(arguments) = fs::read(process.join("cmdline")) else {
        return Process::None;
    };
    // A server's working directory is its data folder, but in some containers root cannot read it.
    if fs::read_link(process.join("cwd")).is_ok_and(|directory| directory == data)
        && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim_end().starts_with("post"))
    {
        return Process::Server;
    }
    judge_arguments(&arguments, data)
}

/// Checks the command line: a server of ours has the data folder as an argument. The command line of a
/// zombie is empty.
fn judge_arguments(arguments: &[u8], data: &Path) -> Process {
    let mut arguments = arguments.split(|byte| *byte == 0);
    let is_postgres = arguments.next().is_some_and(|program| program.ends_with(b"postgres"));
    let folder = data.as_os_str().as_encoded_bytes();
    if is_postgres && arguments.any(|argument| argument == folder) {
        return Process::Server;
    }
    Process::Other
}

/// The same for systems without `/proc`, such as macOS and BSD.
fn look_at_with_ps(pid: u32, data: &Path) -> Process {
    let answer = Command::new("ps").args(["-o", "stat=", "-o", "command=", "-p", &pid.to_string()]).output();
    let Ok(answer) = answer else {
        return Process::None;
    };
    let line = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    if line.is_empty() {
        Process::None
    } else if !line.starts_with('Z') && line.contains("postgres") && line.contains(&*data.to_string_lossy()) {
        Process::Server
    } else {
        Process::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = "20588\n/clone/.data/postgres\n1763683200\n40417\n\n127.0.0.1\n  37 0\nready   \n";

    #[test]
    fn a_whole_note_is_read() {
        let ready = Postmaster { pid: 20588, is_ready: true };
        assert_eq!(Postmaster::parse(NOTE), Some(ready));
    }

    #[test]
    fn a_note_being_written_is_not_ready() {
        let starting = NOTE.replace("ready   ", "starting");
        let started = Postmaster { pid: 20588, is_ready: false };
        assert_eq!(Postmaster::parse(&starting), Some(started));
        assert!(!Postmaster::parse("20588\n/clone").unwrap().is_ready);
        assert_eq!(Postmaster::parse("-77\n/clone").unwrap().pid, 77);
    }

    #[test]
    fn a_broken_note_names_no_process() {
        for text in ["", "\n", "0\n", "x\n", "99999999999999\n"] {
            assert_eq!(Postmaster::parse(text), None);
        }
    }

    #[test]
    fn only_a_server_of_this_folder_is_ours() {
        let data = Path::new("/my data/postgres");
        let judge = |line: &str| judge_arguments(line.replace('|', "\0").as_bytes(), data);
        assert_eq!(judge("/usr/bin/postgres|-D|/my data/postgres|-c|port=1|"), Process::Server);
        assert_eq!(judge("/usr/bin/postgres|-D|/my data/postgres.new|"), Process::Other);
        assert_eq!(judge("postgres: walwriter |"), Process::Other);
        assert_eq!(judge("tail|-f|/my data/postgres|"), Process::Other);
        assert_eq!(judge(""), Process::Other);
    }
}
