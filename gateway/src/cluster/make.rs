//! Creates the data folder and its password.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::Command;

use rand::distr::{Alphanumeric, SampleString};

use super::error::{ClusterError, Doing};
use super::folder::{Folder, delete_all};
use super::guard::Guarded;
use super::identity::Identity;
use super::log::Log;
use super::programs::Programs;

/// The length of the password in letters and digits: 190 bits, without characters to escape in a URL.
const PASSWORD_LENGTH: usize = 32;

/// Replaces a lost password, for every role that has one: all roles share it.
const SET_PASSWORDS: &str = "DO $$ DECLARE role name; BEGIN \
    FOR role IN SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL LOOP \
    EXECUTE format('ALTER ROLE %I PASSWORD %L', role, 'NEW'); \
    END LOOP; END $$\n";

/// Reads the password from its file; none if the file is missing or invalid.
pub(super) fn read_password(folder: &Folder) -> Result<Option<String>, ClusterError> {
    let path = folder.password();
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim_end().to_owned()).filter(|text| is_password(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing("read", &path),
    }
}

fn is_password(text: &str) -> bool {
    text.len() == PASSWORD_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Generates a password and stores it.
fn make_password(folder: &Folder, identity: &Identity) -> Result<String, ClusterError> {
    let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH);
    keep_password(&password, folder, identity)?;
    Ok(password)
}

/// Writes the password atomically, readable by its user only.
fn keep_password(password: &str, folder: &Folder, identity: &Identity) -> Result<(), ClusterError> {
    let path = folder.password();
    let unfinished = folder.place.join("postgres.password");
    delete_all(&unfinished)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&unfinished)
        .doing("write", &unfinished)?;
    writeln!(file, "{password}").doing("write", &unfinished)?;
    // `initdb` reads it as PostgreSQL's user.
    identity.own(&unfinished)?;
    fs::rename(&unfinished, &path).doing("write", &path)
}

/// Creates a data folder. It gets its final name only once it is complete.
pub(super) fn make_data(
    folder: &Folder,
    identity: &Identity,
    programs: &Programs,
    log: &mut Log,
    durable: bool,
) -> Result<String, ClusterError> {
    let password = match read_password(folder)? {
        Some(password) => password,
        None => make_password(folder, identity)?,
    };
    // The file may be part of a copied folder.
    identity.own(&folder.password())?;
    let half_made = folder.half_made();
    fs::DirBuilder::new().mode(0o700).create(&half_made).doing("make", &half_made)?;
    identity.own(&half_made)?;
    let mut command = initdb_command(folder, identity, programs, &half_made, durable);
    log.take_output_of(&mut command)?;
    let made = Guarded::start(identity, command).and_then(Guarded::wait);
    if !made.doing("run", &programs.initdb())?.success() {
        return Err(ClusterError::NotMade { log: log.path.clone(), tail: log.tail() });
    }
    Folder::mark_complete(&half_made)?;
    let data = folder.data();
    fs::rename(&half_made, &data).doing("make", &data)?;
    Ok(password)
}

/// `initdb` for an empty folder. It uses its working directory and not a path: if this process is killed,
/// the next one deletes the folder, and with a path `initdb` would create it again.
fn initdb_command(
    folder: &Folder,
    identity: &Identity,
    programs: &Programs,
    half_made: &Path,
    durable: bool,
) -> Command {
    let mut command = identity.gated(&programs.initdb());
    command
        .args(["--username=postgres", "--auth=scram-sha-256"])
        .args(["--encoding=UTF8", "--locale=C"])
        .arg("--pwfile")
        .arg(folder.password())
        .args(["--pgdata", "."])
        .current_dir(half_made);
    if !durable {
        command.arg("--no-sync");
    }
    command
}

/// Gives the roles of a stopped cluster a new password, through a server without connections.
pub(super) fn replace_password(
    folder: &Folder,
    identity: &Identity,
    programs: &Programs,
    log: &mut Log,
) -> Result<String, ClusterError> {
    tracing::warn!("The password file is missing, so all roles get a new password");
    let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH);
    let mut command = identity.gated(&programs.postgres());
    command.args(["--single", "-c", "exit_on_error=on", "-D"]).arg(folder.data()).arg("postgres");
    log.take_output_of(&mut command)?;
    let is_set = run_with_input(identity, command, &SET_PASSWORDS.replace("NEW", &password))
        .doing("run", &programs.postgres())?;
    if !is_set {
        return Err(ClusterError::PasswordLost { log: log.path.clone(), tail: log.tail() });
    }
    keep_password(&password, folder, identity)?;
    Ok(password)
}

/// Runs a program with a text as standard input, and waits for its end.
fn run_with_input(identity: &Identity, command: Command, input: &str) -> std::io::Result<bool> {
    let mut running = Guarded::start(identity, command)?;
    if let Some(mut stdin) = running.take_stdin() {
        // If the program has already ended, its exit status is the better error.
        let _ = stdin.write_all(input.as_bytes());
    }
    Ok(running.wait()?.success())
}

/// The major version that made a data folder.
pub(super) fn made_by(data: &Path) -> Option<u32> {
    let text = fs::read_to_string(data.join("PG_VERSION")).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::search;

    #[test]
    fn an_initdb_whose_folder_was_swept_does_not_make_it_anew() {
        let identity = Identity::find().unwrap();
        let Ok(programs) = search::find(&identity, Path::new("swept"), None) else { return };
        let path = std::env::temp_dir().join(format!("tessera-swept-{}", std::process::id()));
        let folder = Folder::take(&path, false, &identity).unwrap();
        // So that nothing but the path keeps it from being made anew.
        identity.own(&folder.place).unwrap();
        make_password(&folder, &identity).unwrap();
        let half_made = folder.half_made();
        fs::create_dir(&half_made).unwrap();
        identity.own(&half_made).unwrap();
        let mut left = initdb_command(&folder, &identity, &programs, &half_made, false).spawn().unwrap();
        fs::remove_dir(&half_made).unwrap();
        left.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert!(!left.wait().unwrap().success());
        assert!(!half_made.exists());
        folder.delete().unwrap();
    }

    #[test]
    fn a_password_is_told_from_a_damaged_file() {
        let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH);
        assert!(is_password(&password));
        assert!(!is_password(""));
        assert!(!is_password("postgres"));
        assert!(!is_password(&"'".repeat(PASSWORD_LENGTH)));
    }
}
