//! PostgreSQL's programs of one version.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::identity::Identity;

/// A version as printed by `postgres --version`; ordered from old to new.
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
    /// The first field, so that the derived order is that of versions.
    pub(super) version: Version,
    folder: PathBuf,
}

impl Programs {
    /// The programs of a folder, if this user can run them.
    pub(super) fn in_folder(folder: &Path, identity: &Identity) -> Option<Programs> {
        if !folder.join("initdb").is_file() {
            return None;
        }
        let mut asked = identity.command(&folder.join("postgres"));
        let answer = asked.arg("--version").stdout(Stdio::piped()).output().ok()?;
        let version = parse_version(&String::from_utf8_lossy(&answer.stdout))?;
        Some(Programs { version, folder: folder.to_path_buf() })
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// Fictitious programs, for tests of the choice.
    #[cfg(test)]
    pub(super) fn of_version(major: u32, minor: u32) -> Programs {
        Programs { version: Version { major, minor }, folder: format!("/{major}.{minor}").into() }
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

/// Splits the leading digits of a text from the rest.
fn split_number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
