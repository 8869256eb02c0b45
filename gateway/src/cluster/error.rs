//! Why the private cluster cannot run. Each error is a sentence with advice.

use std::io;
use std::path::{Path, PathBuf};

/// The errors, as shown in the terminal.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No programs of a new enough PostgreSQL are on this machine.
    #[error(
        "PostgreSQL 15 or newer is needed, {found}{npm}. Install it with `{install}`, or set DATABASE_URL to a server you already have."
    )]
    Missing {
        /// What was found instead, as half a sentence.
        found: String,
        /// Why npm could not install it, in parentheses; empty if npm was not tried.
        npm: String,
        /// The one command that installs it here.
        install: String,
    },
    /// The folder of `TESSERA_POSTGRES` is wrong, or closed to the user PostgreSQL runs as.
    #[error(
        "TESSERA_POSTGRES is {folder}, where user {runner} finds no `initdb` and `postgres` to run. Set it to the folder with PostgreSQL's programs, or leave it out."
    )]
    NoPrograms {
        /// The folder it names.
        folder: PathBuf,
        /// The user PostgreSQL would run as.
        runner: String,
    },
    /// A data folder can only be run by the major version that made it.
    #[error(
        "{folder} was made by PostgreSQL {made_by}, but {installed}. Install PostgreSQL {made_by}, start over with --reset (this deletes the data), or set TESSERA_DATA_DIR to another folder."
    )]
    OtherVersion {
        /// The data folder.
        folder: PathBuf,
        /// The major version that made the folder.
        made_by: u32,
        /// The versions found, as half a sentence.
        installed: String,
    },
    /// One process per folder: two servers on one folder would destroy it.
    #[error(
        "Another Tessera{holder} runs on {folder}. Stop it first, or set TESSERA_DATA_DIR to another folder."
    )]
    Busy {
        /// The requested folder.
        folder: PathBuf,
        /// The other process where it left its id, as " (process 12)".
        holder: String,
    },
    /// PostgreSQL refuses files that are not its own user's.
    #[error(
        "{path} belongs to user id {owner}, but PostgreSQL would run as {runner}. Run Tessera as the owner, hand it over with `chown -R {runner} {path}`, or set TESSERA_DATA_DIR to another folder."
    )]
    ForeignFolder {
        /// The file or folder that belongs to another user.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user PostgreSQL would run as.
        runner: String,
    },
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor `nobody`. Run Tessera as an ordinary user, or make one with `useradd --system postgres`."
    )]
    NoOrdinaryUser,
    /// A container may grant root without the right to switch users.
    #[error(
        "PostgreSQL refuses to run as root, and its programs could not be run as `{user}` ({source}). Run Tessera as an ordinary user."
    )]
    CannotSwitchUser {
        /// The user that was tried.
        user: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The data is there but the user PostgreSQL runs as cannot get to it any more.
    #[error(
        "PostgreSQL runs as `{user}` here, which cannot reach its data in {path}. Allow others to pass through the folders above it (`chmod o+x`), start over with --reset (this deletes the data), or set TESSERA_DATA_DIR to another folder."
    )]
    Unreachable {
        /// The data folder.
        path: PathBuf,
        /// The user PostgreSQL runs as.
        user: String,
    },
    /// The name of the folder under /var/tmp is predictable, so another user may have created it.
    #[error(
        "{place} is needed for the data but is not a folder of root's. Remove it, or set TESSERA_DATA_DIR to a folder that every user can reach."
    )]
    PlaceTaken {
        /// The folder of the other user.
        place: PathBuf,
    },
    /// The folder, or something in it, may not be written.
    #[error(
        "{path} cannot be written ({source}). Make it writable, or set TESSERA_DATA_DIR to a folder that is."
    )]
    NotWritable {
        /// What could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else the system refused.
    #[error(
        "Could not {doing} {path} ({source}). Check the disk and the folder, or set TESSERA_DATA_DIR to another folder."
    )]
    System {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `initdb` did not finish.
    #[error(
        "PostgreSQL could not make its data folder; the cause is in the last lines of {log}:\n{tail}\nMend it and start again, or set TESSERA_DATA_DIR to another folder."
    )]
    NotMade {
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// `postgres` ended, or did not answer in time.
    #[error(
        "PostgreSQL did not start; the cause is in the last lines of {log}:\n{tail}\nMend it and start again, or start over with --reset (this deletes the data)."
    )]
    NotStarted {
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The file with the password is lost, and setting a new one failed.
    #[error(
        "The password file is missing and a new password could not be set; the cause is in the last lines of {log}:\n{tail}\nPut the password file back, or start over with --reset (this deletes the data)."
    )]
    PasswordLost {
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A server does not obey; a second one beside it would destroy the data.
    #[error(
        "PostgreSQL (process {pid}) on {folder} does not stop. End it with `kill -KILL {pid}` and try again; PostgreSQL then repairs its data from the journal."
    )]
    NotStopped {
        /// The server's process.
        pid: u32,
        /// Its data folder.
        folder: PathBuf,
    },
}

impl ClusterError {
    /// Sorts a refusal of the system: missing rights have their own advice.
    pub(super) fn system(doing: &'static str, path: &Path, source: io::Error) -> ClusterError {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists => ClusterError::NotWritable { path, source },
            _ => ClusterError::System { doing, path, source },
        }
    }
}

/// Adds what was tried, and on what, to a bare refusal of the system.
pub(super) trait Doing<T> {
    /// Turns the refusal into a sentence.
    fn doing(self, what: &'static str, path: &Path) -> Result<T, ClusterError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &'static str, path: &Path) -> Result<T, ClusterError> {
        self.map_err(|source| ClusterError::system(what, path, source))
    }
}
