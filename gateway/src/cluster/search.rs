//! Finds PostgreSQL's programs, or returns advice on installing them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::environment;
use super::error::ClusterError;
use super::identity::Identity;
use super::npm::Npm;
use super::programs::{Programs, Version};

/// The variable with the folder of the programs to use.
const NAMED: &str = "TESSERA_POSTGRES";

/// The value of [`NAMED`] that asks for the programs of the npm package.
const NPM: &str = "npm";

/// For tests: the folders to search instead of those of packagers, separated as in `PATH`.
const TEST_SEARCH: &str = "TESSERA_TEST_SEARCH";

/// The oldest major version the service is tested with.
const OLDEST_MAJOR: u32 = 15;

/// Folders packagers use, as a fixed start, the start of one folder's name, and a fixed end.
const PACKAGED: [(&str, &str, &str); 9] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/usr/local", "pgsql", "bin"),
];

/// Package managers in the order they are looked for, with the command that installs PostgreSQL.
const INSTALLERS: [(&str, &str); 6] = [
    ("apt-get", "apt-get install -y postgresql"),
    ("dnf", "dnf install -y postgresql-server"),
    ("brew", "brew install postgresql@17"),
    ("apk", "apk add postgresql"),
    ("pacman", "pacman -S --noconfirm postgresql"),
    ("zypper", "zypper install -y postgresql-server"),
];

/// The newest programs, or those of the major version that created the data: from the folder in
/// `TESSERA_POSTGRES`, from the machine, or else from npm.
pub(super) fn find(identity: &Identity, data: &Path, made_by: Option<u32>) -> Result<Programs, ClusterError> {
    let (programs, whose) = match environment::setting(NAMED) {
        None => return anywhere(identity, data, made_by),
        Some(named) if named == NPM => (of_npm(identity)?, "the npm package has"),
        Some(named) => (of_folder(Path::new(&named), identity)?, "TESSERA_POSTGRES names"),
    };
    choose(vec![programs], made_by).map_err(|found| match made_by {
        Some(made_by) => other_version(data, made_by, whose, &found),
        None => missing(identity, format!("but {whose} {found}"), String::new()),
    })
}

/// The programs of the npm package only.
fn of_npm(identity: &Identity) -> Result<Programs, ClusterError> {
    let installed = match Npm::find() {
        Some(npm) => npm.install(identity),
        None => Err("the source tree is not there".to_owned()),
    };
    installed.map_err(|why| missing(identity, "and TESSERA_POSTGRES is npm".to_owned(), why))
}

/// The programs of one folder only.
fn of_folder(folder: &Path, identity: &Identity) -> Result<Programs, ClusterError> {
    without_links(folder)
        .and_then(|folder| Programs::in_folder(&folder, identity))
        .ok_or_else(|| ClusterError::NoPrograms { folder: folder.into(), runner: identity.name.clone() })
}

/// The programs of the machine, or those of npm if none is suitable.
fn anywhere(identity: &Identity, data: &Path, made_by: Option<u32>) -> Result<Programs, ClusterError> {
    let found = match choose(installed(identity), made_by) {
        Ok(programs) => return Ok(programs),
        Err(found) => found,
    };
    let mut why = String::new();
    if let Some(npm) = Npm::find() {
        if let Some(programs) = made_by.and_then(|major| npm.installed(major, identity)) {
            return Ok(programs);
        }
        // Existing data of another version does not justify a download.
        if made_by.is_none_or(|major| major == npm.major && found.is_empty()) {
            match npm.install(identity) {
                Ok(programs) => return Ok(programs),
                Err(said) => why = said,
            }
        }
    }
    Err(match made_by {
        Some(made_by) if !found.is_empty() => other_version(data, made_by, "this machine has", &found),
        _ if found.is_empty() => missing(identity, "and none was found".to_owned(), why),
        _ => missing(identity, format!("but only {found} was found"), why),
    })
}

fn other_version(data: &Path, made_by: u32, whose: &str, found: &str) -> ClusterError {
    let installed = format!("{whose} PostgreSQL {found}");
    ClusterError::OtherVersion { folder: data.to_path_buf(), made_by, installed }
}

/// `why` is the error of npm, if it was tried.
fn missing(identity: &Identity, found: String, why: String) -> ClusterError {
    let npm = if why.is_empty() { why } else { format!(" (npm could not bring it: {why})") };
    ClusterError::Missing { found, npm, install: install_command(identity) }
}

/// Chooses from the installed programs, or lists them.
fn choose(mut installed: Vec<Programs>, made_by: Option<u32>) -> Result<Programs, String> {
    installed.sort();
    let suits = |programs: &&Programs| match made_by {
        Some(major) => programs.version.major == major,
        None => programs.version.major >= OLDEST_MAJOR,
    };
    match installed.iter().rev().find(suits) {
        Some(programs) => Ok(programs.clone()),
        None => {
            let mut versions: Vec<_> = installed.iter().map(|one| one.version).collect();
            versions.dedup();
            let versions: Vec<_> = versions.iter().map(Version::to_string).collect();
            Err(versions.join(" and "))
        }
    }
}

/// Every installed version whose programs this user can run.
fn installed(identity: &Identity) -> Vec<Programs> {
    candidates(identity).iter().filter_map(|folder| Programs::in_folder(folder, identity)).collect()
}

/// Folders that may contain the programs, with links resolved, so that none is tried twice.
fn candidates(identity: &Identity) -> BTreeSet<PathBuf> {
    let mut folders: Vec<PathBuf> = search_path();
    let asked = identity.command(Path::new("pg_config")).arg("--bindir").stdout(Stdio::piped()).output();
    if let Ok(answer) = asked {
        folders.push(String::from_utf8_lossy(&answer.stdout).trim().into());
    }
    match environment::variable(TEST_SEARCH) {
        Some(searched) => folders.extend(std::env::split_paths(&searched)),
        None => folders.extend(packaged()),
    }
    folders.iter().filter_map(|folder| without_links(folder)).collect()
}

/// The folders of packagers.
fn packaged() -> Vec<PathBuf> {
    let entries = |(above, start, end): &(&str, &'static str, &'static str)| {
        let (start, end) = (*start, *end);
        let entries = fs::read_dir(above).into_iter().flatten().flatten();
        let begin_so = entries.filter(move |entry| entry.file_name().to_string_lossy().starts_with(start));
        begin_so.map(move |entry| entry.path().join(end))
    };
    PACKAGED.iter().flat_map(entries).collect()
}

/// The real folder of the programs: `PATH` may contain links to single programs.
fn without_links(folder: &Path) -> Option<PathBuf> {
    let program = fs::canonicalize(folder.join("postgres")).ok()?;
    program.parent().map(Path::to_path_buf)
}

/// The absolute folders of `PATH`; relative ones would be resolved from another directory.
fn search_path() -> Vec<PathBuf> {
    let path = environment::variable("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

/// The one command that installs PostgreSQL on this machine.
fn install_command(identity: &Identity) -> String {
    let found = INSTALLERS.iter().find(|(manager, _)| {
        let mut asked = Command::new(manager);
        asked.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        asked.status().is_ok()
    });
    match found {
        Some(("brew", command)) => (*command).to_owned(),
        Some((_, command)) if identity.is_switched() => (*command).to_owned(),
        Some((_, command)) => format!("sudo {command}"),
        None => "your system's package manager (the package is called postgresql)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(major: u32, minor: u32) -> Programs {
        Programs::of_version(major, minor)
    }

    #[test]
    fn the_newest_wins_unless_the_data_wants_its_own() {
        let all = vec![programs(15, 9), programs(16, 2), programs(15, 10), programs(14, 1)];
        assert_eq!(choose(all.clone(), None), Ok(programs(16, 2)));
        assert_eq!(choose(all.clone(), Some(15)), Ok(programs(15, 10)));
        assert_eq!(choose(all, Some(17)), Err("14.1 and 15.9 and 15.10 and 16.2".to_owned()));
    }

    #[test]
    fn an_old_version_does_not_suit() {
        assert_eq!(choose(vec![programs(14, 1)], None), Err("14.1".to_owned()));
        assert_eq!(choose(Vec::new(), None), Err(String::new()));
    }
}
