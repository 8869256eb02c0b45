//! Finds PostgreSQL's programs, or says how to install them.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::ClusterError;
use super::identity::Identity;

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

/// A version as `postgres --version` says it; ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u32,
    minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

/// The programs of one installed version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Programs {
    /// First, so that the derived order is by age.
    pub(super) version: Version,
    folder: PathBuf,
}

impl Programs {
    /// The newest programs, or those of the major version that made the data.
    pub(super) fn find(
        identity: &Identity,
        data: &Path,
        made_by: Option<u32>,
    ) -> Result<Programs, ClusterError> {
        choose(installed(identity), made_by).map_err(|found| match made_by {
            Some(made_by) if !found.is_empty() => ClusterError::OtherVersion {
                folder: data.to_path_buf(),
                made_by,
                installed: format!("PostgreSQL {found}"),
            },
            _ => ClusterError::Missing {
                found: if found.is_empty() {
                    "and none was found".to_owned()
                } else {
                    format!("but only {found} was found")
                },
                install: install_command(identity),
            },
        })
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }
}

/// Picks from what is installed, or lists it.
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
    candidates(identity)
        .into_iter()
        .filter(|folder| folder.join("initdb").is_file())
        .filter_map(|folder| {
            let answer = identity
                .command(&folder.join("postgres"))
                .arg("--version")
                .stdout(Stdio::piped())
                .output()
                .ok()?;
            let version = parse_version(&String::from_utf8_lossy(&answer.stdout))?;
            Some(Programs { version, folder })
        })
        .collect()
}

/// Folders that may hold the programs, without links, so that none is tried twice.
fn candidates(identity: &Identity) -> BTreeSet<PathBuf> {
    let mut folders: Vec<PathBuf> = search_path();
    let asked = identity.command(Path::new("pg_config")).arg("--bindir").stdout(Stdio::piped()).output();
    if let Ok(answer) = asked {
        folders.push(String::from_utf8_lossy(&answer.stdout).trim().into());
    }
    for (above, start, end) in PACKAGED {
        let entries = fs::read_dir(above).into_iter().flatten().flatten();
        folders.extend(
            entries
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
                .map(|entry| entry.path().join(end)),
        );
    }
    folders
        .iter()
        // A link in PATH leads to the folder where all the programs are.
        .filter_map(|folder| fs::canonicalize(folder.join("postgres")).ok())
        .filter_map(|program| program.parent().map(Path::to_path_buf))
        .collect()
}

/// The absolute folders of `PATH`; relative ones would be looked up from another directory.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
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

/// Reads `postgres (PostgreSQL) 15.10 (Debian 15.10-0+deb12u1)`, and `18beta1` as 18.0.
fn parse_version(answer: &str) -> Option<Version> {
    let (_, number) = answer.split_once("(PostgreSQL) ")?;
    let number = number.split_whitespace().next()?;
    let (major, rest) = split_number(number)?;
    let minor = rest.strip_prefix('.').and_then(split_number).map_or(0, |(minor, _)| minor);
    Some(Version { major, minor })
}

/// Splits the digits a text begins with from what follows.
fn split_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(major: u32, minor: u32) -> Programs {
        Programs { version: Version { major, minor }, folder: format!("/{major}.{minor}").into() }
    }

    #[test]
    fn versions_are_read_as_packagers_write_them() {
        let version = |text| parse_version(text).map(|found| (found.major, found.minor));
        assert_eq!(version("postgres (PostgreSQL) 15.10 (Debian 15.10-0+deb12u1)"), Some((15, 10)));
        assert_eq!(version("postgres (PostgreSQL) 17.2\n"), Some((17, 2)));
        assert_eq!(version("postgres (PostgreSQL) 18beta1"), Some((18, 0)));
        assert_eq!(version("postgres (PostgreSQL) 9.6.24"), Some((9, 6)));
        assert_eq!(version("postgres (PostgreSQL) devel"), None);
        assert_eq!(version("sh: postgres: not found"), None);
        assert_eq!(version(""), None);
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
