//! The user that runs PostgreSQL's programs.
//!
//! The programs refuse to run as root. An ordinary user runs them as itself; root runs them as
//! `postgres` or else `nobody`, which then owns the data. Every child process is created here, so that
//! each one switches the user, leaves the terminal's process group and removes the caller's `PG*`
//! variables, which would redirect PostgreSQL's programs.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{ClusterError, Doing};

/// Users root may run PostgreSQL as, best first. `_postgres` is what macOS and BSD call it.
const ORDINARY_USERS: [&str; 3] = ["postgres", "_postgres", "nobody"];

/// The POSIX shell: the one program that every Unix has at the same path.
pub(super) const SHELL: &str = "/bin/sh";

/// Reads a line, then executes the program in its arguments; ends if there is no line.
const GATE: &str = r#"read -r line && exec "$@""#;

/// The user PostgreSQL runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// For messages, and for `chown`.
    pub(super) name: String,
    pub(super) uid: u32,
    gid: u32,
    /// Whether the user differs from that of this process.
    switched: bool,
}

impl Identity {
    /// Chooses the user, and checks that this process can switch to it.
    pub(super) fn find() -> Result<Identity, ClusterError> {
        let caller = Identity::caller()?;
        if caller.uid != 0 {
            return Ok(caller);
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let identity = ORDINARY_USERS
            .iter()
            .find_map(|name| find_user(&users, name))
            .ok_or(ClusterError::NoOrdinaryUser)?;
        match identity.shell("exit 0").status() {
            Ok(_) => Ok(identity),
            Err(source) => Err(ClusterError::CannotSwitchUser { user: identity.name, source }),
        }
    }

    /// The user this process runs as.
    pub(super) fn caller() -> Result<Identity, ClusterError> {
        let uid = effective_id("-u")?;
        Ok(Identity { name: uid.to_string(), uid, gid: effective_id("-g")?, switched: false })
    }

    /// Whether this process is root and runs PostgreSQL as another user.
    pub(super) fn is_switched(&self) -> bool {
        self.switched
    }

    /// A command run as this user, detached from the terminal and the caller's settings.
    ///
    /// The standard library drops root's supplementary groups whenever it changes user.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        command
            // English messages, because some are recognised in the log; UTC, so that neither `initdb`
            // nor sessions depend on the time zone of the machine.
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            // This user may have no access to the caller's working directory.
            .current_dir("/")
            // Ctrl-C in the terminal reaches only the gateway, which first finishes its requests.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if self.switched {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// A shell script run as this user. Arguments are passed as `$1`, so they need no quoting.
    pub(super) fn shell(&self, script: &str) -> Command {
        let mut command = self.command(Path::new(SHELL));
        command.args(["-c", script, "sh"]);
        command
    }

    /// A program that starts once a line is written to its standard input, and then reads the rest of
    /// it. The waiting process becomes the program, so its id stays the same.
    pub(super) fn gated(&self, program: &Path) -> Command {
        let mut command = self.shell(GATE);
        command.arg(program).stdin(Stdio::piped());
        command
    }

    /// Whether this user can access the folder. Tried with a process of the user, because only the system
    /// knows all rules.
    pub(super) fn reaches(&self, folder: &Path) -> bool {
        !self.switched
            || self.shell(r#"cd -- "$1""#).arg(folder).status().is_ok_and(|status| status.success())
    }

    /// Makes a file or folder this user's own.
    pub(super) fn own(&self, path: &Path) -> Result<(), ClusterError> {
        if !self.switched {
            return Ok(());
        }
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid)).doing("hand over", path)
    }

    /// Sends a signal as this user, so that a wrong id cannot hit a process of another user.
    pub(super) fn signal(&self, name: &str, pid: u32) {
        // Fails if the process has already ended, which is fine.
        let _ = self.shell(r#"kill -s "$1" "$2""#).arg(name).arg(pid.to_string()).status();
    }
}

/// Runs `id`: the standard library cannot read ids, and `/proc/self` may belong to root for other reasons.
fn effective_id(flag: &str) -> Result<u32, ClusterError> {
    let program = Path::new("id");
    let output = Command::new(program).arg(flag).output().doing("run", program)?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(std::io::Error::other)
        .doing("understand the answer of", program)
}

/// Finds a user in the text of `/etc/passwd`; never root under another name.
fn find_user(users: &str, name: &str) -> Option<Identity> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok().filter(|uid| *uid != 0)?;
        let gid = fields.next()?.parse().ok()?;
        Some(Identity { name: name.to_owned(), uid, gid, switched: true })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/bash\n\
        postgresql:x:55:55::/:/bin/sh\n\
        postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash\n\
        toor:x:0:0::/:/bin/sh\n\
        nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let user = find_user(USERS, "postgres").unwrap();
        assert_eq!((user.uid, user.gid, user.switched), (101, 104, true));
        assert_eq!(find_user(USERS, "nobody").unwrap().uid, 65534);
        assert_eq!(find_user(USERS, "post"), None);
    }

    #[test]
    fn root_and_broken_lines_are_not_users() {
        assert_eq!(find_user(USERS, "toor"), None);
        assert_eq!(find_user("postgres:x:-2:-2::/:/bin/sh", "postgres"), None);
        assert_eq!(find_user("postgres", "postgres"), None);
        assert_eq!(find_user("", "postgres"), None);
    }
}
