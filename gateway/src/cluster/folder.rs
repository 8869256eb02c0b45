//! The folder of the cluster and its lock.
//!
//! The requested folder contains `lock`, the data in `postgres`, `postgres.log` and `password`. If
//! root runs PostgreSQL as a user that cannot reach this folder (such as a clone under `/root`), all
//! files but the lock are in a folder under `/var/tmp`, which the file `WHERE` names.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::{ClusterError, Doing};
use super::guard::wait_until;
use super::identity::Identity;

/// Written into the data folder once `initdb` has finished, so that only whole ones are run.
const COMPLETE: &str = "tessera.complete";

/// How the names of half-made data folders begin.
const HALF_MADE: &str = "postgres.new";

/// The file in the requested folder that names the folder with the data.
const WHERE: &str = "WHERE";

/// The file in the folder under `/var/tmp` that names the requested folder.
const FOR: &str = "FOR";

/// How long the system may take to release the lock of a killed process.
const KILLED_IS_GONE: Duration = Duration::from_millis(500);

/// A folder that this process has locked, until this value is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    /// The requested folder, with links resolved.
    pub(super) asked: PathBuf,
    /// Where everything but the lock is.
    pub(super) place: PathBuf,
    /// The open lock file: closing it releases the lock.
    _lock: File,
}

impl Folder {
    /// Creates the folder the first time, locks it and finds a folder that PostgreSQL can reach.
    pub(super) fn take(folder: &Path, wait: bool, identity: &Identity) -> Result<Folder, ClusterError> {
        fs::create_dir_all(folder).doing("make", folder)?;
        let asked = fs::canonicalize(folder).doing("find", folder)?;
        let lock = take_lock(&asked, wait, identity)?;
        let place = find_place(&asked, identity)?;
        Ok(Folder { asked, place, _lock: lock })
    }

    /// The data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.place.join("postgres")
    }

    /// Where `initdb` works until the data folder is whole. Another name each time, because the
    /// `initdb` of a killed run writes to its own folder, and empties it, while it is ending.
    pub(super) fn half_made(&self) -> PathBuf {
        let number = rand::random::<u32>();
        self.place.join(format!("{HALF_MADE}-{number:08x}"))
    }

    /// Where the `initdb` of killed runs worked.
    pub(super) fn all_half_made(&self) -> Result<Vec<PathBuf>, ClusterError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.place).doing("list", &self.place)? {
            let entry = entry.doing("list", &self.place)?;
            if entry.file_name().to_string_lossy().starts_with(HALF_MADE) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// The file with the password.
    pub(super) fn password(&self) -> PathBuf {
        self.place.join("password")
    }

    /// The log of all of PostgreSQL's programs.
    pub(super) fn log(&self) -> PathBuf {
        self.place.join("postgres.log")
    }

    /// Whether the data folder was made to its end.
    pub(super) fn is_complete(&self) -> bool {
        let data = self.data();
        data.join(COMPLETE).is_file() && data.join("PG_VERSION").is_file()
    }

    /// Notes in a data folder that it was made to its end.
    pub(super) fn mark_complete(data: &Path) -> Result<(), ClusterError> {
        let marker = data.join(COMPLETE);
        fs::write(&marker, "Made by Tessera.\n").doing("write", &marker)
    }

    /// Deletes only the files that this module created: the folder may contain others.
    pub(super) fn delete(self) -> Result<(), ClusterError> {
        for entry in fs::read_dir(&self.place).doing("list", &self.place)? {
            let entry = entry.doing("list", &self.place)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name == "password" || name == "postgres" || name.starts_with("postgres.") {
                delete_all(&entry.path())?;
            }
        }
        if self.place != self.asked {
            delete_all(&self.place.join(FOR))?;
            fs::remove_dir(&self.place).doing("delete", &self.place)?;
            delete_all(&self.asked.join(WHERE))?;
        }
        // Last, so that no other process locks the folder before it is empty.
        delete_all(&self.asked.join("lock"))?;
        // Remaining files are not ours.
        let _ = fs::remove_dir(&self.asked);
        Ok(())
    }
}

/// Deletes a file or folder, if it is there.
pub(super) fn delete_all(path: &Path) -> Result<(), ClusterError> {
    let deleted = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match deleted {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing("delete", path),
        _ => Ok(()),
    }
}

/// Takes the lock, again if the file was deleted by [`Folder::delete`] while we waited for it.
fn take_lock(asked: &Path, wait: bool, identity: &Identity) -> Result<File, ClusterError> {
    let path = asked.join("lock");
    loop {
        let mut file = open_lock(&path, identity)?;
        let mut taken = Err(TryLockError::WouldBlock);
        wait_until(KILLED_IS_GONE, || {
            taken = file.try_lock();
            !matches!(taken, Err(TryLockError::WouldBlock))
        });
        match taken {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if wait => file.lock().doing("lock", &path)?,
            Err(TryLockError::WouldBlock) => {
                return Err(ClusterError::Busy {
                    folder: asked.to_path_buf(),
                    holder: read_holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(error).doing("lock", &path),
        }
        let ours = file.metadata().doing("read", &path)?;
        let current = fs::metadata(&path);
        if current.is_ok_and(|current| current.ino() == ours.ino() && current.dev() == ours.dev()) {
            file.set_len(0).doing("write", &path)?;
            writeln!(file, "{}", std::process::id()).doing("write", &path)?;
            return Ok(file);
        }
    }
}

/// Opens the lock file. Distinguishes the lock file of another user from a folder without access.
fn open_lock(path: &Path, identity: &Identity) -> Result<File, ClusterError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    match (opened, fs::metadata(path)) {
        (Ok(file), _) => Ok(file),
        (Err(error), Ok(found))
            if error.kind() == io::ErrorKind::PermissionDenied && found.uid() != identity.uid =>
        {
            Err(ClusterError::ForeignFolder {
                path: path.parent().unwrap_or(path).to_path_buf(),
                owner: found.uid(),
                runner: identity.name.clone(),
            })
        }
        (Err(error), _) => Err(error).doing("open", path),
    }
}

/// Reads who holds the lock, as half a sentence for the message.
fn read_holder(file: &mut File) -> String {
    let mut text = String::new();
    match file.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!(" (process {})", text.trim()),
        _ => String::new(),
    }
}

/// The folder itself, or the place under `/var/tmp` when PostgreSQL's user cannot reach it.
fn find_place(asked: &Path, identity: &Identity) -> Result<PathBuf, ClusterError> {
    if !identity.is_switched() {
        return Ok(asked.to_path_buf());
    }
    let place = reachable_place("tessera", asked);
    let note = asked.join(WHERE);
    // A file that names another folder comes from a copied or moved folder; following it would make
    // two folders share one database.
    let noted = fs::read_to_string(&note).unwrap_or_default();
    if Path::new(noted.trim()) != place.as_path() {
        if !noted.is_empty() {
            tracing::warn!(
                folder = %asked.display(),
                earlier = noted.trim(),
                "The data folder was moved or copied; the database of the earlier folder stays where it was"
            );
        }
        // Data that cannot be reached any more is refused later, but can still be removed.
        if identity.reaches(asked) || asked.join("postgres").exists() {
            return Ok(asked.to_path_buf());
        }
    }
    take_place(&place)?;
    fs::write(place.join(FOR), format!("{}\n", asked.display())).doing("write", &place)?;
    fs::write(&note, format!("{}\n", place.display())).doing("write", &note)?;
    fs::canonicalize(&place).doing("find", &place)
}

/// The folder under `/var/tmp` that replaces an unreachable one.
pub(super) fn reachable_place(name: &str, asked: &Path) -> PathBuf {
    PathBuf::from(format!("/var/tmp/{name}-{:016x}", hash(asked)))
}

/// Creates the folder, or checks that an existing one belongs to root: its name is predictable.
pub(super) fn take_place(place: &Path) -> Result<(), ClusterError> {
    match DirBuilder::new().mode(0o711).create(place) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error).doing("make", place),
        _ => {}
    }
    let found = fs::symlink_metadata(place).doing("read", place)?;
    if found.is_dir() && found.uid() == 0 && found.mode() & 0o022 == 0 {
        // The caller's umask may deny access to PostgreSQL's user.
        return fs::set_permissions(place, Permissions::from_mode(0o711)).doing("open", place);
    }
    Err(ClusterError::PlaceTaken { place: place.to_path_buf() })
}

/// FNV-1a, which is the same for every build; the standard library's hasher is not.
fn hash(path: &Path) -> u64 {
    path.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // Test vectors of the FNV reference.
        assert_eq!(hash(Path::new("")), 0xcbf2_9ce4_8422_2325);
        assert_eq!(hash(Path::new("a")), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(hash(Path::new("foobar")), 0x8594_4171_f739_67e8);
    }
}
